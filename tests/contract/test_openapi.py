"""
The API does what its own OpenAPI document says, whatever is asked of it: Schemathesis reads the document and makes the
requests, as they should be and not. No answer is a crash; each has a status, a type and a body that were told.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from recado.gateway.app import create_app
from recado.gateway.settings import Settings

from .conftest import ADMIN_KEY, Desk

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 6
FOR_ADMINISTRATORS = ("/v1/mentorados", "/v1/doctor", "/v1/audit")
DOCUMENT = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT.raw_schema["paths"].items()
    for method in methods
    if not path.endswith("/stream")  # those never end: read elsewhere
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_it_answers_as_it_is_told(path: str, method: str, desk: Desk) -> None:
    key = ADMIN_KEY if path in FOR_ADMINISTRATORS or path.startswith("/v1/admin-keys") else desk.key
    operation = DOCUMENT[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if "mentorado_id" in case.path_parameters:
                case.path_parameters["mentorado_id"] = desk.mentorado_id
            headers = {"authorization": f"Bearer {key}"}
            case.call_and_validate(base_url=desk.url, headers=headers, checks=CHECKS, timeout=20)

        try:
            ask()
        except schemathesis.errors.InvalidSchema:
            raise
        except Exception as error:
            if type(error).__name__ not in ("Unsatisfiable", "InvalidArgument"):  # nothing wrong can be asked of it
                raise


def test_every_operation_tells_its_problems() -> None:
    for path, methods in DOCUMENT.raw_schema["paths"].items():
        for method, operation in methods.items():
            told = operation["responses"]["default"]["content"]
            assert list(told) == ["application/problem+json"], (method, path)
            assert "422" not in operation["responses"]
