"""Which headers of an answer are kept, and which deployment they say served."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fragment import Content, Fragment
from shared.domain.unknown_words import FIELD
from shared.sources import RECORD_TYPES
from shared.sources.gateway import HEADERS, RATE_LIMITS, spillover_facts
from tests.builders.azure_monitor import a_gateway_log
from tests.builders.events import a_request, a_response
from tests.builders.merging import merge
from tests.builders.recordings import CORPUS
from tests.unit.sources.test_azure_monitor import fragment_of as logged
from tests.unit.sources.test_native import fragment_of

POLICY = Path(__file__).parents[3] / "infra" / "policies" / "fragments" / "capture-response.xml"
SPILLED = {
    "x-ms-deployment-name": "gpt-4o-paygo",
    "X-MS-Spillover-From-Deployment": "gpt-4o-ptu",
    "x-ms-spillover-error": "429",
    "x-ms-is-spilled-over": "True",
}
TOLD = {"from": "gpt-4o-ptu", "error": "429", "spilled": True}


def test_the_policy_sends_the_headers_that_are_kept() -> None:
    text = POLICY.read_text(encoding="utf-8")
    listed = re.search(r"var allowed = new \[\] \{(.*?)\};", text, re.DOTALL)

    assert listed is not None
    assert set(re.findall(r'"([^"]+)"', listed[1])) == HEADERS
    assert f'StartsWith("{RATE_LIMITS}"' in text


def test_every_header_that_is_kept_is_one_that_the_service_sends() -> None:
    specification = CORPUS.parents[1] / "spec" / "event-formats.md"
    if not specification.is_file():
        pytest.skip("the specification of the event formats is not beside the checkout")
    recorded = "".join(path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*/*.meta.json"))).lower()
    attested = specification.read_text(encoding="utf-8") + recorded

    # Headers of one family are listed there by their ends.
    ends = {name: "-" + name.removeprefix("x-amzn-bedrock-") for name in HEADERS}
    assert {name for name in HEADERS if name not in attested and f"`{ends[name]}`" not in attested} == set()


def test_spill_over_is_told_by_native_events_and_by_logs_on_either_side() -> None:
    native = fragment_of(a_response(headers=SPILLED)).facts
    logs = [logged(a_gateway_log(properties={member: SPILLED})).facts for member in
            ("responseHeaders", "backendResponseHeaders", "BackendResponseHeaders")]  # fmt: skip

    for facts in (native, *logs):
        assert facts["served_deployment"] == "gpt-4o-paygo"
        assert json.loads(facts["spillover"]) == TOLD


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x-ms-deployment-name": ["gpt-4o-paygo"], "x-ms-is-spilled-over": ["true"]}, {"spilled": True}),
        ({"x-ms-spillover-from-deployment": "a", "x-ms-is-spilled-over": "false"}, {"from": "a", "spilled": False}),
        ({"x-ms-spillover-error": ["429"]}, {"error": "429"}),
        ({"x-ms-spillover-error": ["429", "500"]}, {"error": "other"}),
        ({"x-ms-is-spilled-over": "false"}, None),
        ({"x-ms-is-spilled-over": "maybe"}, None),
        ({"x-ms-deployment-name": "a"}, None),
    ],
)
def test_only_what_spilled_over_tells_of_spill_over(headers: dict[str, Any], told: Any) -> None:
    facts = fragment_of(a_response(headers=headers)).facts

    assert json.loads(facts.get("spillover", "null")) == told


def test_a_header_of_spill_over_that_is_unknown_leaves_its_name() -> None:
    facts = logged(a_gateway_log(properties={"responseHeaders": {"X-MS-Spillover-Reason": "secret"}})).facts

    assert facts[FIELD] == '["header:x-ms-spillover-reason"]'
    assert "secret" not in str(facts)


def test_it_leaves_its_name_in_our_own_events_too_though_the_header_is_not_kept() -> None:
    fragment = fragment_of(a_response(headers={"X-MS-Spillover-Reason": "secret"}))

    assert fragment.facts[FIELD] == '["header:x-ms-spillover-reason"]'
    assert "secret" not in str(fragment.facts)
    assert b"secret" not in fragment.document


@given(st.permutations(["Q", "R", "G"]), st.sampled_from(["ptu", "paygo"]), st.sampled_from(["ptu", "paygo", None]))
def test_any_order_shows_the_deployment_that_served_only_where_it_is_not_the_one_asked_for(
    order: list[str], asked: str, logged_as: str | None
) -> None:
    told = {
        "Q": {"deployment": asked},
        "R": spillover_facts({"x-ms-deployment-name": "paygo"}),
        "G": {"deployment": logged_as} if logged_as else {"model": "gpt-4o"},
    }
    row = None

    for code in order:
        row = merge(
            "call-1", row, [Fragment("call-1", RECORD_TYPES[code], dict(told[code]), Content(), b"", key=f"{code}:1")]
        )

    assert row is not None
    assert row.get("served_deployment") == (None if asked == "paygo" else "paygo")


def test_a_call_by_its_model_was_served_as_asked() -> None:
    request = fragment_of(a_request(url="/openai/v1/responses", deployment=None, body={"model": "gpt-5", "input": "a"}))
    answer = fragment_of(a_response(headers={"x-ms-deployment-name": "gpt-5"}, body={"model": "gpt-5"}))

    row = merge("call-1", None, [request, answer])

    assert row["served_deployment"] is None
