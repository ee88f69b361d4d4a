"""Calls that .NET lets be odd: letters that JSON writes longer, values that are null, tries without an answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.gateway.calls import NULLS, QUESTION, TOKEN, a_call, a_gateway, an_answer, with_null
from tests.gateway.context import Context, Deployment, Named, Operation
from tests.gateway.dotnet import ReadOnly
from tests.gateway.policies import Answer, Call, PolicyError
from tests.unit.infra.policies.record import parts, recorded
from tests.unit.infra.policies.test_capture_bodies import MOST, PART, body_of, of_part

pytestmark = pytest.mark.slow

# One letter of each kind that JSON's writer makes longer, or UTF-8 does; half a pair becomes a replacement character.
LETTERS = "x\u2028\u2029\u0085\x01\x1f\x7f\"\\<>&'+é\N{SNOWMAN}\N{GRINNING FACE}\ud800\udfff"
LONG = 2500
TIMEOUT = PolicyError(500, "forward-request", "Timeout", "The backend did not answer in time.")
DROPPED = PolicyError(500, "forward-request", "BackendConnectionFailure", "The connection was closed.")


def filled_call(letters: list[str], content: bytes) -> Context:
    """Return a call whose every text is long, of these letters in turn."""
    wide = ("".join(letters) * LONG)[:LONG]
    names = "x-ms-client-request-id x-session-id x-end-user-id Content-Type X-Forwarded-For".split()
    headers = dict.fromkeys(names, wide) | {f"x-tag-{wide[:38]}{number:02}": wide for number in range(20)}
    context = a_call(content, headers=headers, operation=Operation(wide, wide), user=Named(wide), address=wide)
    context.product = context.subscription = Named(wide)
    context.deployment = Deployment(wide, wide)
    context.request.method = wide
    context.request.matched_parameters = ReadOnly({"deployment-id": wide})
    context.request.original_url.query = ReadOnly({"api-version": [wide] * 9, wide[:99]: [wide]}, any_case=True)
    context.request.original_url.path = context.request.url.path = wide
    return context


def filled_answer(letters: list[str], content: bytes) -> Answer:
    wide = ("".join(letters) * LONG)[:LONG]
    answer = an_answer(content, reason=wide)
    answer.headers |= {f"x-ratelimit-{wide[:50]}{number:02}": wide for number in range(30)}
    answer.headers |= {"Content-Type": f"text/{wide}", "x-ms-region": wide}
    return answer


def filled_token(letters: list[str]) -> dict[str, list[str]]:
    wide = ("".join(letters) * LONG)[:LONG]
    return {name: [wide] for name in ("oid", "appid", "upn", "tid")} | {"groups": [wide[:36]] * 70}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4),
    st.sampled_from([b"x", b"\xff", b"\x01", "\u2028".encode(), b'"']),
    st.sampled_from([0, 1, PART - 1, PART, PART + 1, 150_000, 199_999, 2 * PART + 1, MOST, MOST + 1])
    | st.integers(20_000, 230_000),
    st.sampled_from(["a person", "nobody"]),
)
@example(["\u2028"], b"\xff", MOST, "a person")
@example(["\u0085"], b"x", 150_000, "a person")
@example(["\x01"], b"\x01", PART, "a person")
@example(["\x01"], b"\xff", PART, "nobody")
def test_no_event_of_any_call_is_longer_than_the_gateway_sends(
    letters: list[str], letter: bytes, length: int, caller: str
) -> None:
    """What is longer is cut, and no JSON any more."""
    content = (letter * length)[: length - length % len(letter)]
    gateway = a_gateway(filled_answer(letters, content), token=filled_token(letters) if caller == "a person" else {})

    call = gateway.run(filled_call(letters, content))

    assert {one["part"] for one in parts(call)} == {"request", "response"}
    for part in ("request", "response"):
        events = of_part(call, part)
        assert events[0]["size"] == len(content)
        assert (body_of(events) if content and "bodyRef" not in events[0] else content) == content


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4))
@example(["\u2028"])
def test_no_error_part_is_longer_than_the_gateway_sends(letters: list[str]) -> None:
    wide = ("".join(letters) * LONG)[:LONG]
    refusal = PolicyError(429, wide, wide, wide)

    call = a_gateway(token=filled_token(letters), token_limit=refusal).run(filled_call(letters, QUESTION))

    assert [one["part"] for one in parts(call)] == ["request", "error"]


# Null


@pytest.mark.parametrize("what", NULLS)
@pytest.mark.parametrize("document", ["api", "vendor-api"])
def test_a_call_with_a_value_that_is_null_is_served_and_recorded(what: str, document: str, tmp_path: Path) -> None:
    call = a_gateway(document=document).run(with_null(a_call(), what))

    assert call.status == 200
    assert [one["part"] for one in parts(call)] == ["request", "response"]
    assert recorded(call, tmp_path).row["state"] == "complete"


@pytest.mark.parametrize("what", NULLS)
def test_a_refusal_of_a_call_with_a_value_that_is_null_is_recorded(what: str) -> None:
    call = a_gateway(token=None).run(with_null(a_call(), what))

    assert [one["part"] for one in parts(call)] == ["error"]


@pytest.mark.parametrize("claim", ["oid", "appid", "upn", "tid", "groups"])
def test_a_claim_that_is_null_is_left_out(claim: str) -> None:
    odd: dict[str, Any] = {claim: None}

    call = a_gateway(token=TOKEN | odd).run(a_call())

    request, response = parts(call)
    assert response["status"] == 200
    assert not request["identity"].get({"appid": "appId", "tid": "tenantId"}.get(claim, claim))


def test_a_header_of_the_answer_that_is_null_is_left_out() -> None:
    answer = an_answer()
    gateway = a_gateway(answer)
    gateway.answer_headers = {"x-ms-region": None, "Content-Type": None, "retry-after": [None]}

    call = gateway.run(a_call())

    _, response = parts(call)
    assert (response["part"], "headers" in response) == ("response", False)


def test_a_parameter_without_a_value_stays_in_the_url() -> None:
    request, _ = parts(a_gateway().run(with_null(a_call(), "query")))

    assert request["url"] == "/openai/deployments/chat/chat/completions?flag=&other=&api-version=1"


# What is empty


def test_what_has_no_member_is_left_out_as_what_has_no_value_is() -> None:
    context = a_call(headers={"x-tag-empty": "", "x-tag-none": ""}, user=Named("owner"))
    context.deployment = Deployment("", "")
    answer = an_answer()
    answer.headers |= {"x-ms-region": "", "retry-after": ""}

    request, response = parts(a_gateway(answer, token={}).run(context))

    assert not {"tags", "identity", "gateway", "userId"} & set(request)
    assert "headers" not in response


def test_an_error_that_says_nothing_has_no_words() -> None:
    (error,) = parts(a_gateway(before_inbound=PolicyError(401, "", "", "")).run(a_call()))

    assert error["lastError"] == {"section": "inbound"}


def test_an_empty_tag_is_left_out_and_the_others_stay() -> None:
    request, _ = parts(a_gateway().run(a_call(headers={"x-tag-empty": "", "x-tag-team": "blue"})))

    assert request["tags"] == {"team": "blue"}


# Tries without an answer


def attempts(call: Call) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "backendId"} for one in parts(call)[-1]["attempts"]]


def test_a_try_without_an_answer_is_told_as_what_it_is(tmp_path: Path) -> None:
    """Its response is null to the condition, which must not hide the error by one of its own."""
    gateway = a_gateway(Answer(after_ms=240_000, error=TIMEOUT), failure_answers=False)

    call = gateway.run(a_call())

    record = recorded(call, tmp_path)
    assert (record.row["state"], record.row["error_code"], record.row["http_status"]) == ("failed", "Timeout", 500)
    assert attempts(call) == [{"ms": 240_000}]


def test_another_instance_is_tried_when_a_connection_breaks_and_both_tries_are_told() -> None:
    call = a_gateway(Answer(after_ms=30, error=DROPPED), an_answer()).run(a_call())

    assert call.status == 200
    assert attempts(call) == [{"ms": 30}, {"status": 200, "ms": 700}]
    assert parts(call)[-1]["timings"] == {"totalMs": 730, "backendMs": 730}


def test_nothing_is_tried_again_when_the_time_of_a_call_is_over() -> None:
    call = a_gateway(Answer(after_ms=240_000, error=TIMEOUT), an_answer()).run(a_call())

    assert len(call.forwarded) == 1
    assert parts(call)[-1]["lastError"]["reason"] == "Timeout"


def test_a_try_of_a_vendor_without_an_answer_is_told_as_what_it_is() -> None:
    for answers in (True, False):
        gateway = a_gateway(Answer(after_ms=50, error=DROPPED), document="vendor-api", failure_answers=answers)

        call = gateway.run(a_call())

        assert parts(call)[-1]["lastError"]["reason"] == "BackendConnectionFailure"
        assert attempts(call) == [{"ms": 50}]


def test_an_answer_without_a_response_is_recorded() -> None:
    """The section ended well, and still nothing came."""
    for document in ("api", "vendor-api"):
        call = a_gateway(Answer(nothing=True), document=document).run(a_call())

        assert json.loads(call.events[0][2])["part"] == "request"
        assert parts(call)[-1]["part"] == "error"
        assert attempts(call) == [{"ms": 100}]
