"""The description says what the API does: it is valid, and who goes by it meets no surprise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import aiohttp
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.prompt import FLAGS
from tests.bots.caller import get
from tests.house import Inn

EXAMPLES = 12
STREAM = "/api/v1/clips/{id}/events"


async def test_it_is_valid_and_complete(home: Inn) -> None:
    async with home.client() as client:
        document = await get(client, "/api/v1/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    asked = document["components"]["schemas"]["Asked"]["properties"]
    assert set(asked) == {"prompt", "variant_of", "attest", *(flag.name for flag in FLAGS)}
    assert {"/api/v1/clips", "/api/v1/clips/{id}", "/api/v1/me", "/api/v1/quote"} <= set(
        document["paths"]
    )


async def test_every_described_route_is_there(home: Inn) -> None:
    async with aiohttp.ClientSession(home.url) as nobody:
        document = await get(nobody, "/api/v1/openapi.json")
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                async with nobody.request(method, path.replace("{id}", "0" * 12)) as answer:
                    expected = 200 if operation.get("security") == [] else 401
                    assert answer.status == expected, (method, path)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_strangers_meet_no_surprise(home: Inn, caplog: pytest.LogCaptureFixture) -> None:
    """Each operation, with anything that its description allows, on a clip that is there."""
    schema: Any = schemathesis.openapi.from_url(f"{home.url}/api/v1/openapi.json")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {home.key('stranger')}"
    wish: Any = {"prompt": "a ball", "seconds": 0.5}
    made = session.post(f"{home.url}/api/v1/clips", json=wish, timeout=10).json()["id"]
    session.get(f"{home.url}/api/v1/clips/{made}/events", timeout=60)
    statuses: Counter[int] = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda one: one.method == "delete"):
        if operation.path == STREAM:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), known=booleans())
        def probe(case: Any, known: bool) -> None:
            if known and "id" in case.path_parameters:
                case.path_parameters["id"] = made
            response = case.call(session=session)
            statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        probe()
    session.close()
    assert {200, 202, 204, 404, 422} <= set(statuses), statuses
    assert not [one for one in caplog.records if one.name == "kinora.web" and one.exc_info]
