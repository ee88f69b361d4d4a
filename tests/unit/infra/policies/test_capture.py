"""What the capture fragments send of a call, and that the native source reads it: the policies' own text, run."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.calls import COMPLETION, ID, QUESTION, TOKEN, a_call, a_gateway, a_stream, an_answer
from tests.gateway.context import Context, Named
from tests.gateway.policies import Answer, Call, PolicyError
from tests.unit.infra.policies.record import fragments, parts, recorded

REFUSED_BY_LIMIT = PolicyError(
    429, "azure-openai-token-limit", "TokenLimitExceeded", "Token limit is exceeded. Try again in 25 seconds."
)
NO_KEY = PolicyError(401, "authorization", "SubscriptionKeyNotFound", "Access denied due to missing subscription key.")
TIMEOUT = PolicyError(500, "forward-request", "Timeout", "The backend did not answer in time.")

ASKED = {
    "schema": "promptledger/1",
    "interactionId": ID,
    "time": "2026-03-02T09:29:58.250Z",
    "method": "POST",
    "url": "/openai/deployments/chat/chat/completions?api-version=2024-10-21",
    "apiId": "azure-openai",
    "operationId": "ChatCompletions_Create",
    "deployment": "chat",
    "apiVersion": "2024-10-21",
    "callerIp": "203.0.113.7",
    "subscriptionId": "team-a",
    "productId": "standard",
    "identity": {
        "oid": "oid-1",
        "appId": "app-1",
        "upn": "ada@example.org",
        "tenantId": "tenant-1",
        "groups": ["group-1", "group-2"],
    },
    "gateway": {"name": "apim-example", "region": "West Europe"},
    "contentType": "application/json",
}
"""Written by hand from the policy's text."""


def a_run(context: Context | None = None, *answers: Answer, **changes: Any) -> Call:
    return a_gateway(*answers, **changes).run(context or a_call())


# Golden events


def test_a_request_part_tells_who_asked_for_what() -> None:
    headers = {
        "x-ms-client-request-id": "c-1",
        "x-session-id": "s-1",
        "x-end-user-id": "u-1",
        "X-Tag-Cost-Centre": "42",
    }

    request, _ = parts(a_run(a_call(headers=headers)))

    assert request == ASKED | {
        "part": "request",
        "clientRequestId": "c-1",
        "sessionId": "s-1",
        "endUserId": "u-1",
        "tags": {"cost-centre": "42"},
        "size": len(QUESTION),
        "body": QUESTION.decode(),
    }


def test_a_response_part_tells_what_came_back() -> None:
    answer = an_answer()
    answer.headers |= {"x-ms-region": "East US", "X-RateLimit-Remaining-Tokens": "99", "Set-Cookie": "a=b"}

    _, response = parts(a_run(None, answer))

    assert response == {
        "schema": "promptledger/1",
        "interactionId": ID,
        "part": "response",
        "time": "2026-03-02T09:29:58.950Z",
        "status": 200,
        "reason": "OK",
        "backendId": "openai-pool",
        "backendUrl": "https://openai-pool.example/deployments/chat/chat/completions",
        "attempts": [{"backendId": "openai-pool", "status": 200, "ms": 700}],
        "timings": {"totalMs": 700, "backendMs": 700},
        "headers": {"x-ms-region": "East US", "x-ratelimit-remaining-tokens": "99"},
        "streamed": False,
        "contentType": "application/json",
        "size": len(COMPLETION),
        "body": COMPLETION.decode(),
    }


def test_an_error_part_tells_what_api_management_refused() -> None:
    (error,) = parts(a_run(token=None))

    identity = {"identity"}
    assert error == {name: value for name, value in ASKED.items() if name not in identity} | {
        "part": "error",
        "status": 401,
        "lastError": {
            "source": "validate-azure-ad-token",
            "reason": "TokenNotPresent",
            "message": "JWT not present.",
            "section": "inbound",
        },
        "timings": {"totalMs": 0},
    }


def test_the_native_source_reads_every_member_of_the_three_parts() -> None:
    headers = {"x-ms-client-request-id": "c-1", "x-session-id": "s-1", "x-end-user-id": "u-1", "x-tag-team": "blue"}
    answer = an_answer()
    answer.headers |= {"x-ms-region": "East US"}

    request, response = (one.facts for one in fragments(a_run(a_call(headers=headers), answer)))
    (error,) = (one.facts for one in fragments(a_run(token=None)))

    assert request == {
        "has_request": True,
        "occurred_at": "2026-03-02T09:29:58.250Z",
        "operation": "chat.completions",
        "operation_id": "ChatCompletions_Create",
        "method": "POST",
        "path": "/openai/deployments/chat/chat/completions",
        "api_version": "2024-10-21",
        "deployment": "chat",
        "streamed": False,
        "parameters": '{"messages":1,"temperature":0}',
        "request_bytes": len(QUESTION),
        "prompt_preview": "Grüße, 2 + 2? \N{GRINNING FACE}",
        "caller_ip": "203.0.113.7",
        "subscription_id": "team-a",
        "product_id": "standard",
        "api_id": "azure-openai",
        "user_id": "oid-1",
        "app_id": "app-1",
        "identity": json.dumps(ASKED["identity"], sort_keys=True, separators=(",", ":")),
        "session_id": "s-1",
        "client_request_id": "c-1",
        "end_user_id": "u-1",
        "tags": '{"team":"blue"}',
        "gateway_name": "apim-example",
        "gateway_region": "West Europe",
    }
    told = {
        "http_status": 200,
        "backend_id": "openai-pool",
        "backend_host": "openai-pool.example",
        "attempts": '[{"backendId":"openai-pool","ms":700.0,"status":200}]',
        "latency_ms": 700,
        "backend_ms": 700,
        "response_headers": '{"x-ms-region":"East US"}',
        "streamed": False,
        "response_bytes": len(COMPLETION),
        "occurred_at": "2026-03-02T09:29:58.250Z",
        "total_tokens": 12,
    }
    assert {name: response.get(name) for name in told} == told
    refused = {
        "http_status": 401,
        "gateway_refused": True,
        "error_code": "TokenNotPresent",
        "error_message": "JWT not present.",
        "latency_ms": 0,
        "caller_ip": "203.0.113.7",
        "operation": "chat.completions",
    }
    assert {name: error.get(name) for name in refused} == refused


def test_the_events_go_to_the_logger_under_the_interactions_own_key() -> None:
    call = a_run()

    assert [(logger, key) for logger, key, _ in call.events] == [("promptledger", ID)] * 2


def test_a_call_becomes_one_complete_interaction(tmp_path: Path) -> None:
    record = recorded(a_run(), tmp_path)

    assert (record.outcome.received, record.outcome.stored) == (2, 2)
    assert record.row["state"] == "complete"
    assert record.content.prompt == "Grüße, 2 + 2? \N{GRINNING FACE}"
    assert record.content.completion == "4"
    assert record.content.request == json.loads(QUESTION)
    assert record.content.response == json.loads(COMPLETION)


# Who


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        pytest.param({"oid": ["o"], "appid": ["a"]}, {"oid": "o", "appId": "a"}, id="version 1, an application"),
        pytest.param(
            {"oid": ["o"], "azp": ["a"], "preferred_username": ["u"], "tid": ["t"]},
            {"oid": "o", "appId": "a", "upn": "u", "tenantId": "t"},
            id="version 2, a person",
        ),
        pytest.param({"groups": []}, {"groups": []}, id="no groups"),
        pytest.param({"groups": ["g" * 37, "g"]}, {"groups": ["g"]}, id="a group's name that is no id"),
        pytest.param(
            {"groups": [f"g{n}" for n in range(99)]}, {"groups": [f"g{n}" for n in range(64)]}, id="many groups"
        ),
        pytest.param({"oid": ["o"], "name": ["Ada"], "email": ["e"]}, {"oid": "o"}, id="claims that nobody asked for"),
    ],
)
def test_the_identity_is_what_the_validated_token_says(claims: dict[str, list[str]], identity: dict[str, Any]) -> None:
    request, _ = parts(a_run(token=claims))

    assert request["identity"] == identity


def test_the_developer_of_the_subscription_is_named_only_where_no_token_names_a_person() -> None:
    owned = a_run(a_call(user=Named("owner-1")))
    unknown = a_run(a_call(user=Named("owner-1")), token=None)
    keys_only = a_run(a_call(user=Named("owner-1")), validates=False)

    assert "userId" not in parts(owned)[0]
    assert [parts(call)[0]["userId"] for call in (unknown, keys_only)] == ["owner-1", "owner-1"]


def test_a_call_without_product_subscription_and_user_is_recorded_all_the_same() -> None:
    call = a_run(a_call(product=None, subscription=None))

    request, response = parts(call)
    assert call.status == 200
    assert "productId" not in request
    assert "subscriptionId" not in request
    assert response["status"] == 200


def test_a_call_to_no_operation_that_the_gateway_knows_is_recorded_all_the_same() -> None:
    (error,) = parts(a_run(a_call(api=None, operation=None), before_inbound=NO_KEY))

    assert not {"apiId", "operationId"} & set(error)
    assert error["lastError"]["reason"] == "SubscriptionKeyNotFound"


@pytest.mark.parametrize(
    ("address", "forwarded", "caller"),
    [
        pytest.param("203.0.113.7", "198.51.100.9", "203.0.113.7", id="a caller from outside who writes the header"),
        pytest.param("10.0.1.4", "198.51.100.9:51234", "198.51.100.9", id="behind the application gateway"),
        pytest.param("172.16.0.4", "192.0.2.1, 198.51.100.9:80", "198.51.100.9", id="and what a caller wrote"),
        pytest.param("192.168.0.4", "[2001:db8::1]:443", "2001:db8::1", id="version 6 with a port"),
        pytest.param("fd00::4", "2001:db8::1", "2001:db8::1", id="version 6"),
        pytest.param("FD00::4", "2001:db8::1", "2001:db8::1", id="version 6 in capitals"),
        pytest.param("::ffff:10.0.1.4", "198.51.100.9:51234", "198.51.100.9", id="version 4 as version 6"),
        pytest.param("0:0:0:0:0:FFFF:172.16.0.4", "198.51.100.9", "198.51.100.9", id="version 4 as long version 6"),
        pytest.param("::ffff:203.0.113.7", "198.51.100.9", "203.0.113.7", id="version 4 as version 6 from outside"),
        pytest.param("::ffff:172.32.0.4", None, "172.32.0.4", id="and one that only looks private"),
        pytest.param("10.0.1.4", "[::ffff:198.51.100.9]:443", "198.51.100.9", id="both of it behind the gateway"),
        pytest.param("::ffff:cb00:7107", None, "::ffff:cb00:7107", id="version 4 in hexadecimals stays"),
        pytest.param("10.0.1.4", None, "10.0.1.4", id="a caller inside the network"),
        pytest.param("10.0.1.4", "unknown", "10.0.1.4", id="no address"),
        pytest.param("172.32.0.4", "198.51.100.9", "172.32.0.4", id="an address that only looks private"),
    ],
)
def test_the_callers_address_is_the_one_that_the_application_gateway_saw(
    address: str, forwarded: str | None, caller: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    request, _ = parts(a_run(a_call(headers=headers, address=address)))

    assert request["callerIp"] == caller


# Secrets


@pytest.mark.parametrize(
    "name",
    "access_token api-key api_key apikey authorization client_secret code key ocp-apim-subscription-key "
    "password sas sig signature subscription-key subscription_key token".split(),
)
def test_the_url_holds_no_secret(name: str) -> None:
    url = f"/openai/deployments/chat/chat/completions?{name}=not-a-real-one&{name.upper()}=nor-this&api-version=1"

    told = [part for keys in ("allow", "refuse") for part in parts(a_run(a_call(url=url), named={"query-keys": keys}))]

    urls = {part["url"] for part in told if "url" in part}
    assert urls == {"/openai/deployments/chat/chat/completions?api-version=1"}


def test_the_other_parameters_stand_in_the_url_as_they_were_sent() -> None:
    request, _ = parts(
        a_run(a_call(url="/openai/files?limit=5&after=a%26b%3D%C3%BC~&tag=x&tag=y&flag", template="/files"))
    )

    assert request["url"] == "/openai/files?limit=5&after=a%26b%3D%C3%BC%7E&tag=x&tag=y&flag="


@pytest.mark.parametrize("name", ["api-key", "Ocp-Apim-Subscription-Key", "Authorization", "Cookie"])
def test_no_event_holds_a_header_that_opens_doors(name: str) -> None:
    answer = an_answer()
    answer.headers |= {name: "not-a-real-one"}
    for call in (
        a_run(a_call(headers={name: "not-a-real-one"}), answer),
        a_run(a_call(headers={name: "not-a-real-one"}), token=None),
    ):
        assert not any(b"not-a-real-one" in event for _, _, event in call.events)


# Tags


def test_tags_are_few_and_short() -> None:
    headers = {"x-tag-": "none", "x-tag-" + "n" * 41: "long", "x-tag-" + "n" * 40: "fits"}
    headers |= {f"x-tag-t{number}": "v" * 300 for number in range(20)}

    request, _ = parts(a_run(a_call(headers=headers)))

    assert request["tags"] == {"n" * 40: "fits"} | {f"t{number}": "v" * 200 for number in range(15)}


# Streams


def test_a_stream_is_neither_read_nor_held_back() -> None:
    context = a_call()

    call = a_run(context, a_stream(after_ms=300))

    _, response = parts(call)
    assert context.response is not None
    assert context.response.body is not None
    assert context.response.body.reads == 0
    assert response["streamed"] is True
    assert response["timings"] == {"firstByteMs": 300, "backendMs": 300}
    assert not {"body", "bodyBase64", "bodyOmitted", "size"} & set(response)
    assert [one["buffer-response"] for one in call.forwarded] == ["false"]


@pytest.mark.parametrize(
    ("content_type", "streamed"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream;charset=UTF-8", True),
        (" text/event-stream ", True),
        ("text/eventually", False),
        ("application/json; was=text/event-stream", False),
    ],
)
def test_a_stream_is_told_by_its_content_type(content_type: str, streamed: bool) -> None:  # noqa: FBT001
    answer = a_stream(headers={"Content-Type": content_type})

    _, response = parts(a_run(None, answer))

    assert response["streamed"] is streamed
    assert ("body" in response) is not streamed


def test_of_a_stream_the_record_knows_all_but_the_text(tmp_path: Path) -> None:
    record = recorded(a_run(None, a_stream(after_ms=300)), tmp_path)

    row = record.row
    assert (row["state"], row["streamed"], row["time_to_first_byte_ms"]) == ("complete", True, 300)
    assert (row["latency_ms"], row["total_tokens"], row["truncated"]) == (None, None, None)
    assert record.content.completion is None


def test_an_answer_that_is_an_error_instead_of_the_stream_is_read() -> None:
    refused = b'{"error":{"code":"429","message":"slow down"}}'

    _, response = parts(a_run(a_call(template="/responses"), an_answer(refused, 429, reason="Too Many Requests")))

    assert (response["streamed"], response["body"]) == (False, refused.decode())


# Errors and refusals


@pytest.mark.parametrize("who", ["token_limit", "product_refusal"])
def test_a_call_over_a_token_limit_has_its_question_and_its_refusal(who: str, tmp_path: Path) -> None:
    refusals: dict[str, Any] = {who: REFUSED_BY_LIMIT}

    call = a_run(**refusals)

    record = recorded(call, tmp_path)
    assert [one["part"] for one in parts(call)] == ["request", "error"]
    assert call.forwarded == []
    assert (record.row["state"], record.row["http_status"]) == ("refused", 429)
    assert (record.row["error_code"], record.row["user_id"]) == ("TokenLimitExceeded", "oid-1")
    assert record.content.prompt == "Grüße, 2 + 2? \N{GRINNING FACE}"


def test_the_error_of_a_known_caller_repeats_who_asked() -> None:
    _, error = parts(a_run(token_limit=REFUSED_BY_LIMIT))

    assert {name: error[name] for name in ASKED} == ASKED


def test_of_a_caller_who_is_not_known_no_body_is_kept() -> None:
    context = a_call()

    call = a_run(context, token=None)

    assert not any(b"2 + 2" in event for _, _, event in call.events)
    assert context.request.body is not None
    assert context.request.body.reads == 0


def test_a_missing_key_is_recorded_though_no_policy_ran(tmp_path: Path) -> None:
    record = recorded(a_run(before_inbound=NO_KEY), tmp_path)

    assert (record.row["state"], record.row["error_code"]) == ("refused", "SubscriptionKeyNotFound")
    assert record.row["caller_ip"] == "203.0.113.7"


def test_a_backend_that_does_not_answer_is_a_failure_with_its_attempts(tmp_path: Path) -> None:
    answers = (
        an_answer(b"{}", 503, after_ms=50, reason="Service Unavailable"),
        Answer(after_ms=240_000, error=TIMEOUT),
    )

    record = recorded(a_run(None, *answers), tmp_path)

    assert (record.row["state"], record.row["http_status"]) == ("failed", 500)
    assert (record.row["error_code"], record.row["latency_ms"]) == ("Timeout", 240_050)
    assert json.loads(record.row["attempts"]) == [
        {"backendId": "openai-pool", "status": 503, "ms": 50},
        {"backendId": "openai-pool", "ms": 240_000},
    ]


def test_an_error_message_is_cut_at_two_thousand_characters() -> None:
    refused = PolicyError(400, "any", "Any", "m" * 5000)

    _, error = parts(a_run(token_limit=refused))

    assert error["lastError"]["message"] == "m" * 2048


def test_an_error_of_the_gateways_that_says_little_is_recorded_all_the_same() -> None:
    context = a_call()

    _, error = parts(a_run(context, token_limit=PolicyError(429, "any", "", "")))

    assert error["lastError"] == {"source": "any", "section": "inbound"}


# Times and bounds


def test_the_time_of_a_request_is_when_it_arrived() -> None:
    context = a_call()
    context.elapsed = timedelta(milliseconds=40)

    request, response = parts(a_run(context))

    assert request["time"] == "2026-03-02T09:29:58.250Z"
    assert (response["time"], response["timings"]["totalMs"]) == ("2026-03-02T09:29:58.990Z", 740)


def test_the_members_around_a_body_fit_beside_a_part_whatever_a_caller_sends() -> None:
    """The numbers are chosen so: 160,000 letters of base64, 40,000 bytes for all else."""
    wide = "\N{SNOWMAN}" * 9999
    headers = {"x-ms-client-request-id": wide, "x-session-id": wide, "x-end-user-id": wide, "Content-Type": wide}
    headers |= {f"x-tag-{'n' * 38}{number:02}": wide for number in range(99)}
    answer = an_answer(b"x" * 959_999)
    answer.headers |= {f"x-ratelimit-{'n' * 50}{number:02}": wide for number in range(99)}
    answer.headers["Content-Type"] = "text/" + wide
    answer.reason = wide
    token = {"oid": [wide], "appid": [wide], "upn": [wide], "tid": [wide], "groups": [wide[:36]] * 99}
    context = a_call(
        b"x" * 959_999,
        url=f"/openai/deployments/{wide}/chat/completions?api-version={wide}",
        headers=headers,
        product=Named(wide),
        subscription=Named(wide),
    )

    call = a_run(context, answer, token=token)

    longest = [max(len(event) for _, _, event in call.events[:8]), max(len(event) for _, _, event in call.events[8:])]
    assert len(call.events) == 16
    assert all(195_000 > length > 170_000 for length in longest)
    assert [one["part"] for one in parts(call)] == ["request"] * 8 + ["response"] * 8


def test_the_claims_of_a_token_are_not_read_from_the_header() -> None:
    """What was not validated says nothing."""
    request, _ = parts(a_run(a_call(headers={"Authorization": "Bearer eyJvaWQiOiJvdGhlciJ9"}), token=TOKEN))

    assert request["identity"]["oid"] == "oid-1"
