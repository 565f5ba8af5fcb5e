"""The whole API as its own description has it: nothing sent ends in a 5xx, and every answer is as its schema says."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.app import create_app
from api.settings import Settings as ServiceSettings
from store.database import Store

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


EXAMPLES = 3
"""Of each operation, valid; and as many invalid ones."""


@pytest.fixture(scope="module")
def all_turned_on(world: Store, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    on = ServiceSettings(cypher=True, uploads=True, jobs=tmp_path_factory.mktemp("jobs"))
    return create_app(world, on)


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_its_description_says(all_turned_on: FastAPI, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", all_turned_on, timeout=60)
    asked = 0
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok), operation
        asked += _ask(operation.ok(), mode)
    assert asked > EXAMPLES * 20


def _ask(operation: Any, mode: GenerationMode) -> int:
    """How many requests of the operation were sent."""
    asked = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing can be wrong with what takes no parameters
        send()
    return asked
