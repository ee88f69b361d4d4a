"""What an attached gateway sends of a call: as the estate's own does, through policies of other people's making."""

import json
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import pytest

from infra.scripts.gateway_capture import document
from infra.scripts.gateway_capture.document import read_policy
from infra.scripts.gateway_capture.edits import Marks
from infra.scripts.gateway_capture.policy import attach
from tests.builders.foreign_policies import ACCEPTED, ENTRA, JWT, Foreign, a_policy, named
from tests.gateway import policies
from tests.gateway.calls import COMPLETION, NAMED, QUESTION, TOKEN, a_call, a_gateway, a_stream, an_answer
from tests.gateway.context import Api, Jwt, Operation
from tests.gateway.dotnet import ReadOnly
from tests.gateway.policies import Answer, Call, Gateway, PolicyError
from tests.unit.infra.policies.record import parts, recorded

REFUSED = PolicyError(429, "rate-limit", "RateLimitExceeded", "Rate limit is exceeded.")
OTHERS = {
    "validate-jwt": {"inbound"},
    "cors": {"inbound"},
    "rate-limit": {"inbound"},
    "rewrite-uri": {"inbound"},
    "set-status": {"outbound", "on-error"},
}
"""Where policies may stand that only others use."""


@dataclass
class AttachedGateway(Gateway):
    """A gateway that runs a policy of another's making as well."""

    refuses: PolicyError | None = None
    """What the policy's own rate limit says no with."""

    def __post_init__(self) -> None:
        """Know the policies of others."""
        for tag in (*OTHERS, "base", "validate-azure-ad-token"):
            self._policies[tag] = getattr(type(self), "_" + tag.replace("-", "_"))

    def _base(self, element: Any) -> None:
        super()._base(element)
        if self.section == "backend":
            self._forward_request(Element("forward-request"))

    def _validate_jwt(self, element: Any) -> None:
        if self.token is None:
            raise PolicyError(401, "validate-jwt", "TokenNotPresent", "JWT not present.")
        variable = element.attrib.get("output-token-variable-name")
        if variable:
            self.context.variables.set(variable, Jwt(ReadOnly(self.token)))

    _validate_azure_ad_token = _validate_jwt

    def _rate_limit(self, _: Any) -> None:
        if self.refuses is not None:
            raise self.refuses

    def _cors(self, _: Any) -> None:
        """Change nothing: our calls are no preflights."""

    def _rewrite_uri(self, _: Any) -> None:
        """Change nothing that is looked at: capture tells the URL that was asked for."""

    def _set_status(self, element: Any) -> None:
        assert self.context.response is not None
        self.context.response.status_code = int(element.attrib["code"])


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    for tag, sections in OTHERS.items():
        monkeypatch.setitem(policies.SECTIONS, tag, sections)
        monkeypatch.setattr(Gateway, "_" + tag.replace("-", "_"), AttachedGateway._cors, raising=False)


def well_formed(element: document.Element) -> str:
    """Return a raw policy as XML, with every expression escaped: what API Management makes of it."""
    attributes = "".join(f" {name}={quoteattr(element.value(name))}" for name in element.attributes)
    text = escape(unescape("".join(element.texts).strip()))
    inner = "".join(well_formed(child) for child in element.children)
    return f"<{element.name}{attributes}>{text}{inner}</{element.name}>"


def a_run(foreign: Foreign, folder: Path, *answers: Answer, context: Any = None, **changes: Any) -> Call:
    """Attach the policy and run a call through it."""
    path = folder / "attached.xml"
    after = attach(foreign.text, foreign.around, Marks()).after
    path.write_text(well_formed(read_policy(after)), encoding="utf-8")
    settings: dict[str, Any] = {"token": TOKEN, "named": NAMED | {"aad-tenant": "t"}}
    settings["answers"] = list(answers or [an_answer()])
    gateway = AttachedGateway(document=str(path.with_suffix("")), **(settings | changes))
    return gateway.run(context or a_call())


def comparable(call: Call) -> list[dict[str, Any]]:
    """Return the events without what only the estate's own policy knows: which backend it chose, and each try."""
    own = ("backendId", "backendUrl", "attempts")
    events = [{name: value for name, value in one.items() if name not in own} for one in parts(call)]
    for one in events:
        one.get("timings", {}).pop("backendMs", None)
    return events


WITH_TOKEN = Foreign(a_policy(f"<base />\n        {ENTRA}"))
WITH_OTHER_NAME = Foreign(a_policy(JWT.format(named("jwt")) + "<base />"))
BY_SUBSCRIPTION = ACCEPTED["the one that the portal makes"]
LIMITED = Foreign(a_policy('<base />\n        <rate-limit calls="5" renewal-period="60" />'))


@pytest.mark.parametrize("foreign", [WITH_TOKEN, WITH_OTHER_NAME], ids=["unnamed", "named"])
def test_a_call_with_a_token_sends_what_the_estate_s_own_policy_sends(foreign: Foreign, tmp_path: Path) -> None:
    own = a_gateway().run(a_call())

    call = a_run(foreign, tmp_path)

    assert call.status == 200
    assert comparable(call) == comparable(own)


def test_compressed_answers_are_not_asked_for(tmp_path: Path) -> None:
    call = a_run(BY_SUBSCRIPTION, tmp_path, context=a_call(headers={"Accept-Encoding": "gzip"}))

    assert [one for one in call.forwarded[0] if one.lower() == "accept-encoding"] == []


def test_a_call_with_a_subscription_alone_is_told_by_it(tmp_path: Path) -> None:
    request, response = parts(a_run(BY_SUBSCRIPTION, tmp_path, token=None))

    assert request["subscriptionId"] == "team-a"
    assert "identity" not in request
    assert (request["body"], response["body"]) == (QUESTION.decode(), COMPLETION.decode())


def test_a_call_that_the_gateway_refuses_sends_its_error_part(tmp_path: Path) -> None:
    request, error = parts(a_run(LIMITED, tmp_path, refuses=REFUSED))

    assert (request["part"], request["body"]) == ("request", QUESTION.decode())
    assert (error["part"], error["status"], error["lastError"]["reason"]) == ("error", 429, "RateLimitExceeded")


def test_a_caller_without_a_token_leaves_an_error_and_no_body(tmp_path: Path) -> None:
    (error,) = parts(a_run(WITH_TOKEN, tmp_path, token=None))

    assert (error["part"], error["lastError"]["reason"]) == ("error", "TokenNotPresent")
    assert "body" not in error


def test_a_stream_is_neither_read_nor_held_back(tmp_path: Path) -> None:
    context = a_call()

    _, response = parts(a_run(BY_SUBSCRIPTION, tmp_path, a_stream(), context=context))

    assert response["streamed"] is True
    assert "body" not in response
    assert context.response is not None
    assert context.response.body is not None
    assert context.response.body.reads == 0


def test_another_vendor_s_call_on_a_path_of_its_own_is_recorded(tmp_path: Path) -> None:
    asked = json.dumps({"model": "claude", "messages": [{"role": "user", "content": "2 + 2?"}]}).encode()
    context = a_call(
        asked,
        url="/llm/v1/messages",
        template="/*",
        api=Api("claude-prod"),
        operation=Operation("post", "/*"),
    )

    request, response = parts(a_run(BY_SUBSCRIPTION, tmp_path, an_answer(b'{"type":"message"}'), context=context))

    assert (request["apiId"], request["url"], request["body"]) == ("claude-prod", "/llm/v1/messages", asked.decode())
    assert response["body"] == '{"type":"message"}'


def test_the_ledger_has_the_call_with_its_tokens(tmp_path: Path) -> None:
    found = recorded(a_run(WITH_TOKEN, tmp_path), tmp_path)

    assert (found.row["input_tokens"], found.row["output_tokens"]) == (11, 1)
    assert found.row["user_id"] == "oid-1"


def test_where_an_operation_leaves_inbound_out_later_on_no_call_fails(tmp_path: Path) -> None:
    after = attach(BY_SUBSCRIPTION.text, BY_SUBSCRIPTION.around, Marks()).after
    later = Foreign(after.replace('<include-fragment fragment-id="capture-request" />', "", 1))
    path = tmp_path / "later.xml"
    path.write_text(well_formed(read_policy(later.text or "")), encoding="utf-8")

    call = AttachedGateway(document=str(path.with_suffix("")), named=NAMED, answers=[an_answer()]).run(a_call())

    assert (call.status, call.ended_in, call.events) == (200, "outbound", [])


RUNNABLE = [
    "none at all",
    "the one that the portal makes",
    "an Entra token in no variable",
    "a JWT in a variable of its own",
    "a token in our variable",
    "tokens of two issuers, by branch",
    "empty sections that close themselves",
    "without on-error",
    "all in one line",
    "tabs, Windows line ends, blank lines",
    "comments around, an instruction, blanks in tags",
    "preflights answered by all APIs' policy",
    "an API without subscription whose token is validated",
    "an operation with a policy of its own",
]
"""Policies that hold only what the gateway of these tests runs."""


@pytest.mark.parametrize("name", RUNNABLE)
def test_question_and_answer_are_sent_through_every_kind_of_policy(name: str, tmp_path: Path) -> None:
    call = a_run(ACCEPTED[name], tmp_path)

    assert call.status == 200
    assert [(one["part"], one["body"]) for one in parts(call)] == [
        ("request", QUESTION.decode()),
        ("response", COMPLETION.decode()),
    ]
