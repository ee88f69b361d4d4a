"""What the OpenAPI document lets hope for, and what it forbids, sent to every route of a seeded ledger."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.api.app import create_app
from shared.domain.values import utc
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request
from tests.builders.exports import MemoryFiles
from tests.tools.contract import document
from tests.unit.api.rows import SETTINGS, Client, Ledger, a_usage_row, an_interaction

pytestmark = pytest.mark.slow

_EXAMPLES = 5
"""Of each operation, beside those at the edges of its parameters: all of them in a minute."""


class _Local:
    """The application, called from this machine; there is one once a ledger is."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "client": ("127.0.0.1", 50_000)}, receive, send)


_LOCAL = _Local()
_DOCUMENT = document()
_SCHEMAS = _DOCUMENT["components"]["schemas"]
_SCHEMA: Any = schemathesis.openapi.from_dict(_DOCUMENT)
_SCHEMA.app = _LOCAL


@pytest.fixture(scope="module", autouse=True)
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    engine = new_sqlite(tmp_path_factory.mktemp("ledger"))
    ledger = Ledger(engine)
    ledger.has(
        *(an_interaction(f"call-{number}", model="gpt-4o", subscription_id="sub-7") for number in range(5)),
        an_interaction("failed", state="failed", error_code="429", http_status=429, tags='{"team": "a"}'),
    )
    ledger.says("call-1", {"Q:1": a_request("call-1")})
    ledger.used(a_usage_row(model="gpt-4o"), a_usage_row(model="o1"))
    _LOCAL.app = create_app(
        ledger.audit(),
        replace(SETTINGS, rate_limit=0),
        ledger.quarantine(),
        prices=ledger.prices(),
        restatements=ledger.restatements(),
        capacity=ledger.capacity(),
        costs=ledger.costs(),
        payers=ledger.payers(),
        budgets=ledger.budgets(),
        exports=ledger.exports(MemoryFiles()),
    )
    # The first version of the price book, which an example names.
    Client(_LOCAL.app, "127.0.0.1", "http://localhost").post(
        "/api/v1/prices", json=_SCHEMAS["PricesToAdd"]["examples"][0]
    ).raise_for_status()
    yield
    engine.dispose()


_RULED = {
    "add_reach",
    "add_deployments",
    "add_prices",
    "add_reservations",
    "agree_budget",
    "ask_for_export",
    "assign_cost_centres",
    "reconcile_costs",
    "replay_quarantine",
    "restate",
}
"""Operations whose bodies have rules that no schema can say, between members or of what lies in a text."""


def keep_to_the_prose(case: Any) -> None:
    """Make a request that the schema allows one that the prose of the document allows too."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.definition.raw["operationId"] in _RULED:
        name = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        case.body = copy.deepcopy(_SCHEMAS[name.rpartition("/")[2]]["examples"][0])
    for parameters in (case.query, case.body):
        if isinstance(parameters, dict):
            # Only an answer can say where it goes on, and a range does not end before it begins.
            parameters.pop("cursor", None)
            if parameters.get("q") is not None:
                # What a search finds is not counted.
                parameters["q"] = "aurora"
                parameters.pop("total", None)
            if parameters.get("groupBy"):
                parameters["groupBy"] = ",".join(dict.fromkeys(parameters["groupBy"].split(",")))
            start, end = utc(parameters.get("from")), utc(parameters.get("to"))
            if start and end and end < start:
                parameters["from"], parameters["to"] = parameters["to"], parameters["from"]


@_SCHEMA.parametrize()  # type: ignore[untyped-decorator]  # as the library has it
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_shows_another_interface_than_the_document(case: Any) -> None:
    keep_to_the_prose(case)

    case.call_and_validate(headers={"Host": "localhost"})
