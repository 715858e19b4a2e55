"""The container files say what the code says. No engine runs here: this reads them, it does not build them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from recado.gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def known() -> set[str]:
    names = {f"RECADO_{name.upper()}" for name in Settings.model_fields}
    for field in Settings.model_fields.values():
        names.update(getattr(field.validation_alias, "choices", []))
    return names


def test_every_setting_they_give_is_one() -> None:
    given = set(re.findall(r"\b(RECADO_[A-Z_]+)=", DOCKERFILE)) | set(COMPOSE["services"]["recado"]["environment"])
    assert given
    assert given <= known()


def test_what_is_copied_is_there() -> None:
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_process_has_no_rights_and_time_to_hand_over() -> None:
    assert "USER recado" in DOCKERFILE
    grace = int(COMPOSE["services"]["recado"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings.model_fields["handover_seconds"].default


def test_the_health_check_asks_what_is_answered() -> None:
    from recado.gateway.monitoring.routes import router

    asked = re.search(r"http://127\.0\.0\.1:8000(/\w+)", DOCKERFILE)
    assert asked is not None
    assert asked[1] in {getattr(route, "path", None) for route in router.routes}


def test_no_secret_has_a_default() -> None:
    for name in ("POSTGRES_PASSWORD", "RECADO_MASTER_KEY"):
        values = [str(part.get("environment", {}).get(name, "")) for part in COMPOSE["services"].values()]
        assert any(value.startswith(f"${{{name}:?") for value in values)
