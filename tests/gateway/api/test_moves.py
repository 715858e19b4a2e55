"""Moving people over HTTP: an administrator's, refused in words, and the report tells no secret and no number."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

COHORT = {"to": "zapi", "cohort": [{"mentorado": "Clara", "test_to": "+55 00 00000-0009"}]}


async def test_a_plan_is_made_shown_and_refused_in_words(admin: Any, clara: Any) -> None:
    for ask in (clara.post("/v1/moves", COHORT), clara.get("/v1/moves")):
        assert (await ask).status_code == 403
    made = await admin.post("/v1/moves", COHORT)
    assert made.status_code == 201, made.text
    plan = made.json()
    (told,) = plan["people"]
    assert (plan["state"], told["is_ready"], told["report"]["blockers"]) == ("dry_run", False, ["no_credentials"])
    assert "00000" not in made.text
    path = f"/v1/moves/{plan['id']}"
    assert (await admin.get(path)).json() == plan
    assert [each["id"] for each in (await admin.get("/v1/moves")).json()["items"]] == [plan["id"]]
    for verb, body, status in (
        ("apply", {"approved_by": "Rita"}, 400),
        ("apply", {"approved_by": " "}, 400),
        ("apply", {}, 422),
        ("continue", None, 409),
        ("roll-back", None, 409),
    ):
        answer = await admin.post(f"{path}/{verb}", body)
        assert answer.status_code == status, (verb, answer.text)
        assert (await clara.post(f"{path}/{verb}", body or {"approved_by": "x"})).status_code == 403
        assert (await admin.post(f"/v1/moves/{uuid4()}/{verb}", {"approved_by": "x"})).status_code == 404


async def test_a_cohort_that_cannot_be_is_refused(admin: Any, clara: Any) -> None:
    for body, status in (
        ({"to": "zapi", "cohort": []}, 422),
        ({"to": "fax", "cohort": [{"mentorado": "Clara"}]}, 422),
        ({"to": "zapi", "cohort": [{"mentorado": "Rui"}]}, 400),
        ({"to": "zapi", "cohort": [{"mentorado": "Clara"}, {"mentorado": clara.id}]}, 400),
        ({"to": "zapi", "cohort": [{"mentorado": "Clara", "test_to": "abc"}]}, 400),
        ({"to": "zapi", "cohort": [{"mentorado": "Clara", "token": "secret"}]}, 422),
    ):
        answer = await admin.post("/v1/moves", body)
        assert answer.status_code == status and "secret" not in answer.text, answer.text
