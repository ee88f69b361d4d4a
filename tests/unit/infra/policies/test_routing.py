"""Where calls go, how often, and with whose credentials; the front of the audit API."""

import base64
import json
from typing import Any

import pytest

from shared.api.callers import Role
from tests.gateway.calls import COMPLETION, NAMED, NULLS, TOKEN, a_call, a_gateway, a_stream, an_answer, with_null
from tests.gateway.context import Body, Named
from tests.gateway.csharp import expression, expressions, named_nodes
from tests.gateway.dotnet import ReadOnly
from tests.gateway.policies import FOLDER, SEEN, V2_BUFFER, Answer, Call, PolicyError, policy
from tests.unit.infra.policies.record import parts
from tests.unit.infra.policies.test_budgets import run_every_branch_of_budgets

BUSY = an_answer(b'{"error":{"code":"429"}}', 429, reason="Too Many Requests", after_ms=20)
BROKEN = an_answer(b"", 502, reason="Bad Gateway", after_ms=30)
ISSUED = {"typ": "iss", "val": "https://login.microsoftonline.com/tenant-1/v2.0"}
NONE_LEFT = an_answer(b"", 503, reason="Backend pool openai-pool is temporarily unavailable", after_ms=1)


def attempts(call: Call) -> list[int]:
    (response,) = [one for one in parts(call) if one["part"] == "response"]
    return [attempt["status"] for attempt in response["attempts"]]


@pytest.mark.parametrize(
    "template",
    [
        "/deployments/{deployment-id}/chat/completions",
        "/deployments/{deployment-id}/completions?api-version={api-version}",
        "/deployments/{deployment-id}/embeddings",
        "/deployments/{deployment-id}/images/generations",
        "/deployments/{deployment-id}/images/edits",
        "/deployments/{deployment-id}/audio/transcriptions",
        "/deployments/{deployment-id}/audio/translations",
        "/deployments/{deployment-id}/audio/speech",
        "/v1/chat/completions",
        "/v1/Embeddings",
        "/v1/moderations",
    ],
)
def test_calls_that_leave_nothing_behind_go_to_the_pool(template: str) -> None:
    call = a_gateway().run(a_call(template=template))

    assert call.forwarded[0]["backend"] == "openai-pool"
    assert parts(call)[-1]["backendId"] == "openai-pool"


@pytest.mark.parametrize(
    ("method", "template"),
    [
        ("POST", "/assistants"),
        ("POST", "/threads/{thread_id}/runs"),
        ("POST", "/files"),
        ("GET", "/files/{file_id}/content"),
        ("POST", "/fine_tuning/jobs"),
        ("POST", "/batches"),
        ("POST", "/vector_stores"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/chat/completions"),
        ("GET", "/v1/chat/completions/{completion_id}/messages"),
        ("GET", "/models"),
        ("POST", "/something/new"),
    ],
)
def test_all_that_has_a_state_stays_with_one_instance(method: str, template: str) -> None:
    call = a_gateway(BUSY, named={"ownership": "off"}).run(a_call(method=method, template=template))

    assert [one["backend"] for one in call.forwarded] == ["openai-primary"]
    assert attempts(call) == [429]


@pytest.mark.parametrize(
    ("answers", "tried"),
    [
        pytest.param([BUSY, an_answer()], [429, 200], id="a busy instance"),
        pytest.param([BROKEN, BUSY, an_answer()], [502, 429, 200], id="two that fail"),
        pytest.param([BUSY, BUSY, BUSY], [429, 429, 429], id="all are busy"),
        pytest.param([BUSY, NONE_LEFT], [429, 503], id="no other is left"),
        pytest.param([an_answer(b"{}", 400, reason="Bad Request")], [400], id="a mistake of the caller"),
        pytest.param([an_answer(b"{}", 404, reason="Not Found")], [404], id="an unknown deployment"),
        pytest.param([BUSY, a_stream()], [429, 200], id="a stream at second try"),
    ],
)
def test_another_instance_is_tried_and_each_try_is_recorded(answers: list[Answer], tried: list[int]) -> None:
    call = a_gateway(*answers).run(a_call())

    assert attempts(call) == tried
    assert len(call.forwarded) == len(tried)
    assert call.status == tried[-1]


def test_the_time_of_each_try_is_its_own() -> None:
    call = a_gateway(BUSY, BROKEN, an_answer()).run(a_call())

    response = parts(call)[-1]
    assert [attempt["ms"] for attempt in response["attempts"]] == [20, 30, 700]
    # The second retry waits for a second.
    assert response["timings"] == {"totalMs": 1750, "backendMs": 750}


def test_the_backend_gets_the_gateways_identity_and_none_of_the_callers_keys() -> None:
    url = "/openai/deployments/chat/chat/completions?api-version=1&subscription-key=k&api-key=k"
    headers = {
        "api-key": "k",
        "ocp-apim-subscription-key": "k",
        "Authorization": "Bearer caller",
        "Accept-Encoding": "gzip",
    }

    call = a_gateway(named={"query-keys": "allow"}).run(a_call(url=url, headers=headers))

    (sent,) = call.forwarded
    assert sent["Authorization"] == "Bearer gateway-1 for https://cognitiveservices.azure.com"
    assert sent["query"] == "api-version"
    assert not {"api-key", "ocp-apim-subscription-key", "Accept-Encoding"} & set(sent)


def test_nobody_is_asked_before_the_caller_is_known() -> None:
    call = a_gateway(token=None).run(a_call())

    assert (call.status, call.forwarded) == (401, [])


# The audit API


def principal(
    token: dict[str, list[str]], headers: dict[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    call = a_gateway(document="audit-api", token=token).run(a_call(None, method="GET", headers=headers))
    (sent,) = call.forwarded
    return json.loads(base64.b64decode(sent["X-MS-CLIENT-PRINCIPAL"])), sent


def test_the_audit_api_learns_who_asks_and_with_which_roles() -> None:
    told, _ = principal(TOKEN | {"roles": ["Audit.Read", "Content.Read"], "email": ["not passed on"]})

    assert told == {
        "auth_typ": "aad",
        "name_typ": "preferred_username",
        "role_typ": "roles",
        "claims": [
            {"typ": "oid", "val": "oid-1"},
            {"typ": "appid", "val": "app-1"},
            {"typ": "upn", "val": "ada@example.org"},
            {"typ": "tid", "val": "tenant-1"},
            {"typ": "roles", "val": "Audit.Read"},
            {"typ": "roles", "val": "Content.Read"},
            ISSUED,
        ],
    }


def test_no_header_of_the_callers_own_says_who_asks() -> None:
    forged = dict.fromkeys(
        """
        X-Local-User X-Local-Roles x-ms-client-principal X-MS-CLIENT-PRINCIPAL-ID X-MS-CLIENT-PRINCIPAL-NAME
        X-MS-CLIENT-PRINCIPAL-IDP X-MS-TOKEN-AAD-ACCESS-TOKEN X-MS-TOKEN-AAD-ID-TOKEN
        """.split(),
        "forged",
    )

    told, sent = principal({"roles": ["Usage.Read"]}, forged | {"Authorization": "Bearer caller"})

    assert told["claims"] == [{"typ": "roles", "val": "Usage.Read"}, ISSUED]
    assert "forged" not in sent.values()
    assert sent["Authorization"] == "Bearer caller"


def test_the_front_of_the_audit_api_asks_for_one_of_its_roles() -> None:
    (claim,) = policy("audit-api").iter("claim")

    assert claim.attrib == {"name": "roles", "match": "any"}
    assert {value.text for value in claim} == {role.value for role in Role}


@pytest.mark.parametrize(("url", "status"), [("/audit/api/v1/me/usage", 200), ("/audit/api/v1/usage", 401)])
def test_who_has_no_role_may_ask_for_his_own_usage_alone(url: str, status: int) -> None:
    own: dict[str, list[str]] = {"oid": ["oid-1"]}

    assert a_gateway(document="audit-api", token=own).run(a_call(None, method="GET", url=url)).status == status


def test_without_a_token_nobody_reaches_the_audit_api() -> None:
    call = a_gateway(document="audit-api", token=None).run(a_call(None, method="GET"))

    assert (call.status, call.forwarded, call.events) == (401, [], [])


# That all of it was run


DOCUMENTS = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.xml"))
MUST_RUN = {
    "assignment_expression",
    "conditional_access_expression",
    "integer_literal",
    "invocation_expression",
    "object_creation_expression",
    "return_statement",
    "string_literal",
}


def run_every_branch() -> None:
    """Bring calls past every branch of every expression."""
    url = "/openai/deployments/chat/chat/completions?api-version=2024-10-21"
    tagged = a_call(headers={"x-tag-team": "v" * 300, "x-ms-client-request-id": "c" * 300})
    a_gateway(BUSY, an_answer()).run(tagged)
    a_gateway(token={"azp": ["a"]}).run(a_call(None, method="GET", url="/openai/files", template="/files?x=1"))
    a_gateway(a_stream()).run(a_call())
    a_gateway(an_answer(b"\xff" * 1_000_000)).run(a_call(b"\xff" * 250_000))
    a_gateway(an_answer(b"\xff" * 130_000)).run(a_call(b"\xff" * 1_000_000))
    a_gateway(an_answer(b"\xff"), blob_statuses=(None,)).run(a_call(b"\xff" * 1_000_000))
    a_gateway(an_answer(b"x" * 1_000_000), blob_statuses=(403,)).run(a_call(b"\xff"))
    a_gateway(Answer(200, b"x" * 9, {"Content-Type": "audio/mpeg"})).run(a_call(b"x", told=False))
    a_gateway(Answer(200, b"x" * 9, {})).run(a_call(b"x", told=False, headers={"Content-Type": "text/plain"}))
    untold = Answer(200, COMPLETION, {"Content-Type": "application/json"})
    a_gateway(untold).run(a_call(template="/v1/images/generations"))
    large = {"Content-Length": "3000000"}
    a_gateway(Answer(200, b"x", large)).run(a_call(b"x", headers=large))
    a_gateway(claim_check=False).run(a_call(b"x" * 1_000_000))
    a_gateway(token=None).run(a_call(url=url, headers={"x-tag-team": "v" * 300, "x-session-id": "s" * 300}))
    a_gateway(before_inbound=PolicyError(401, "a", "", "m" * 3000)).run(a_call(url="/openai/files", template="/files"))
    dropped = Answer(error=PolicyError(500, "forward-request", "BackendConnectionFailure", "gone"))
    a_gateway(dropped, an_answer()).run(a_call())
    a_gateway(dropped, failure_answers=False).run(a_call())
    for document, product in (("api", "product"), ("api", "product-group"), ("vendor-api", "vendor-group")):
        written = {"__TOKENS_PER_MINUTE__": "1", "__GROUP_ID__": "group-1"}
        a_gateway(document=document, product=product, written=written).run(a_call())
    refused = a_gateway(token_limit=PolicyError(429, "a", "b", "c"))
    refused.run(a_call(subscription=None))
    a_gateway(document="audit-api", token={"roles": ["Usage.Read"]}).run(a_call(None, method="GET"))
    bare = Answer(204, None, {"x-ms-region": "r" * 300, "x-ratelimit-limit-tokens": "9"}, reason=None)
    nothing = a_call(b"", operation=None, address=None)
    nothing.request.body = Body(None, V2_BUFFER)
    a_gateway(bare).run(nothing)
    a_gateway(token=None).run(a_call(address=None))
    a_gateway(Answer(204, bodiless=True)).run(a_call(b""))
    # Between the token and the capture: the gateway cannot hold what nobody said was so long.
    for claims in (TOKEN, {}):
        a_gateway(token=claims).run(a_call(b"x" * (V2_BUFFER + 1), told=False))
    a_gateway(token=None).run(a_call(user=Named("owner")))
    a_gateway(token={}).run(a_call(user=Named("owner")))
    a_gateway(Answer(500, reason=None), Answer(500, reason=None), Answer(500)).run(a_call())
    behind = a_call(headers={"X-Forwarded-For": "198.51.100.9:1"}, address="10.0.0.4")
    a_gateway().run(behind)
    a_gateway(token=None).run(a_call(headers={"X-Forwarded-For": "198.51.100.9"}, address="10.0.0.4"))
    a_gateway(validates=False).run(a_call(user=Named("owner")))
    for what in NULLS:
        for gateway in (a_gateway(), a_gateway(token=None)):
            gateway.run(with_null(a_call(address="10.0.0.4"), what))
    a_gateway(Answer(200, b"x")).run(with_null(a_call(told=False), "header"))
    odd_claims: dict[str, Any] = {"groups": None, "appid": [None]}
    a_gateway(token=TOKEN | odd_claims, answer_headers={"x-ms-region": None, "Content-Type": None}).run(a_call())
    a_gateway(token=TOKEN | odd_claims).run(a_call(b"x" * (V2_BUFFER + 1), told=False))
    everybody_s: dict[str, Any] = {"roles": ["Usage.Read"], "name": None}
    a_gateway(document="audit-api", token=everybody_s).run(a_call(None, method="GET"))
    run_every_branch_of_ownership()
    run_every_branch_of_other_vendors()


def run_every_branch_of_other_vendors() -> None:
    for url, headers in (
        ("/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent", {}),
        ("/gemini/v1beta/models/gemini-embedding-001:embedContent", {}),
        ("/bedrock/model/any/invoke", {"Accept": "text/event-stream"}),
    ):
        answer = Answer(200, COMPLETION, {} if headers else {"Content-Type": "application/json"})
        a_gateway(answer, document="vendor-api").run(a_call(url=url, template="/*", headers=headers))
    a_gateway(document="vendor-api").run(a_call(subscription=None))
    a_gateway(cached=an_answer()).run(a_call())
    run_every_branch_of_budgets()
    pathless = a_call(None, method="GET")
    pathless.request.original_url.path = None
    a_gateway(document="audit-api").run(pathless)


def run_every_branch_of_ownership() -> None:
    a_gateway().run(a_call(url="/openai/deployments/chat/chat/completions?key=1"))
    made = json.dumps({"id": "file-1", "output": [{"id": "msg_1"}]}).encode()
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    named = b'{"previous_response_id":"resp_1","file_ids":["file-1"],"input":[{"type":"item_reference","id":"msg_1"}]}'
    everybody = a_gateway()
    for kind in ("subscription", "application", "person"):
        everybody.named["ownership"] = kind
        for context in (
            a_call(url="/openai/files", template="/files", headers=form),
            a_call(named, url="/openai/responses", template="/responses"),
            a_call(None, method="GET", url="/openai/files/file-1", template="/files/{file_id}"),
            a_call(None, method="GET", url="/openai/files", template="/files"),
            a_call(url="/openai/uploads/u/parts", template="/uploads/{upload_id}/parts", headers=form),
            a_call(url="/openai/threads", template="/threads", headers={"Content-Encoding": "gzip"}),
            a_call(b"x" * (V2_BUFFER + 1), url="/openai/threads", template="/threads"),
            a_call(b'{"input":"\\u0041"}', url="/openai/threads", template="/threads"),
        ):
            everybody.answers = [an_answer(made)]
            everybody.run(context)
    unknown = a_gateway(named={"ownership-unknown": "refuse"})
    unknown.run(a_call(None, method="GET", url="/openai/files/file-1", template="/files/{file_id}"))
    keys_only = a_gateway(validates=False, named={"ownership": "person"})
    keys_only.run(a_call(None, method="GET", url="/openai/files/file-1", template="/files/{file_id}"))
    a_gateway(an_answer(b"no JSON")).run(a_call(url="/openai/threads", template="/threads"))
    many = json.dumps({"file_ids": [f"file-{number}" for number in range(51)]}).encode()
    a_gateway().run(a_call(many, url="/openai/threads", template="/threads"))
    full = a_gateway(named={"capture-calls-per-minute": "1"})
    for _ in range(2):
        full.answers = [an_answer()]
        full.run(a_call())


def test_every_branch_of_every_expression_was_run_by_these_calls() -> None:
    SEEN.clear()

    run_every_branch()

    skipped = []
    for name in DOCUMENTS:
        for tag, found in expressions(policy(name)):
            text = found.text
            for named, value in NAMED.items():
                text = text.replace("{{" + named + "}}", value)
            run = expression(text)
            assert run is not None
            skipped += [
                f"{name} {tag}: {node.type} {(node.text or b'').decode()}"
                for node in named_nodes(run.body)
                if node.type in MUST_RUN and (text, node.start_byte, node.end_byte, node.type) not in SEEN
            ]
    assert skipped == []


def test_the_simulator_knows_no_header_that_a_case_could_hide() -> None:
    assert ReadOnly({"Content-Type": ["a"]}, any_case=True).at("content-type") == ["a"]
    assert FOLDER.is_dir()
