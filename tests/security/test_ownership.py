"""No team reaches another's files, threads, stored responses or batches, whatever way it names them."""

import json
from typing import Any

import pytest

from tests.gateway.calls import COMPLETION, TOKEN, a_call, a_gateway, a_stream, an_answer
from tests.gateway.context import Context, Named
from tests.gateway.policies import Answer, Call, Gateway
from tests.unit.infra.policies.record import parts

FILE, RESPONSE, THREAD = "file-0a1b2c3d4e5f60718293a4b5", "resp_68af4030baa48193b0b43b4c2a176a1a", "thread_aB3dE6fG7h"


def a_team(gateway: Gateway, team: str, token: dict[str, list[str]] | None = None) -> "Team":
    return Team(gateway, team, token or TOKEN | {"oid": [f"person of {team}"], "appid": [f"app of {team}"]})


class Team:
    """Calls by one team through a gateway that others use, too."""

    def __init__(self, gateway: Gateway, name: str, token: dict[str, list[str]]) -> None:
        self.gateway, self.name, self.token = gateway, name, token

    def calls(self, context: Context, answer: Answer | None = None) -> Call:
        context.subscription = Named(self.name)
        self.gateway.token, self.gateway.answers = self.token, [answer or an_answer(b"{}")]
        return self.gateway.run(context)

    def gets(self, path: str, template: str, **changes: Any) -> Call:
        return self.calls(a_call(None, **{"method": "GET", "url": f"/openai{path}", "template": template} | changes))

    def posts(self, path: str, body: Any, template: str | None = None, answer: Any = None, **changes: Any) -> Call:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = None if answer is None else an_answer(json.dumps(answer).encode())
        return self.calls(a_call(content, url=f"/openai{path}", template=template or path, **changes), told)

    def makes_a_file(self, name: str = FILE) -> Call:
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        return self.posts("/files", b"--x--", answer={"id": name, "object": "file"}, headers=form)


def two_teams(**named: str) -> tuple[Team, Team]:
    gateway = a_gateway(named=named)
    return a_team(gateway, "red"), a_team(gateway, "blue")


def test_who_made_an_object_reaches_it_and_nobody_else_does() -> None:
    red, blue = two_teams()
    assert red.makes_a_file().status == 200

    own = red.gets(f"/files/{FILE}/content", "/files/{file_id}/content")
    foreign = blue.gets(f"/files/{FILE}/content", "/files/{file_id}/content")

    assert (own.status, len(own.forwarded)) == (200, 1)
    assert (foreign.status, foreign.forwarded) == (404, [])


def test_an_owner_is_kept_for_a_year_by_the_id_in_small_letters() -> None:
    red, _ = two_teams()

    red.posts("/threads", {}, answer={"id": THREAD})

    assert red.gateway.cache[f"ownership/{THREAD.lower()}"] == "subscription/red"
    assert red.gateway.lives[f"ownership/{THREAD.lower()}"] == 365 * 24 * 3600


def test_what_was_refused_is_in_the_record_with_its_reason() -> None:
    red, blue = two_teams()
    red.posts("/v1/responses", {"input": "hi"}, answer={"id": RESPONSE})

    call = blue.posts("/v1/responses", {"input": "and then?", "previous_response_id": RESPONSE})

    request, error = parts(call)
    assert json.loads(request["body"])["previous_response_id"] == RESPONSE
    assert (error["status"], error["lastError"]["reason"]) == (404, "ObjectOfAnotherOwner")


def bodies(name: str) -> dict[str, Any]:
    """Return bodies that name an object, by how they do it."""
    return {
        "previous response": {"previous_response_id": name},
        "file of a batch": {"input_file_id": name, "endpoint": "/v1/responses"},
        "file of a fine-tuning job": {"training_file": name},
        "file of a message": {"role": "user", "attachments": [{"file_id": name, "tools": []}]},
        "files of a code interpreter": {
            "tools": [{"type": "code_interpreter", "container": {"file_ids": ["x", name]}}]
        },
        "vector stores of a search": {"tools": [{"type": "file_search", "vector_store_ids": [name]}]},
        "assistant of a run": {"assistant_id": name},
        "conversation": {"conversation": name},
        "conversation as an object": {"conversation": {"id": name}},
        "container": {"tools": [{"container": name}]},
        "input file": {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": name}]}]},
        "by a second member of the same name": b'{"previous_response_id":"x","previous_response_id":"%s"}'
        % name.encode(),
        "by the first of two members": b'{"previous_response_id":"%s","previous_response_id":"x"}' % name.encode(),
        "with blanks": b'{"previous_response_id"\n:\t " %s "}' % name.encode(),
        "in capitals": {"previous_response_id": name.upper().replace(name[:4].upper(), name[:4])},
    }


@pytest.mark.parametrize("way", bodies(FILE))
def test_no_member_of_a_body_leads_to_a_foreign_object(way: str) -> None:
    red, blue = two_teams()
    red.makes_a_file()

    foreign = blue.posts("/v1/responses", bodies(FILE)[way])
    own = red.posts("/v1/responses", bodies(FILE)[way])

    assert (foreign.status, foreign.forwarded) == (404, [])
    assert own.status == 200


def test_a_member_that_nobody_knows_does_not_lead_there_either() -> None:
    red, blue = two_teams()
    red.makes_a_file()

    assert blue.posts("/v1/responses", {"a_new_member": {"of": [FILE]}}).status == 404
    assert blue.posts("/v1/responses", {"input": f"what is {FILE} in this text?"}).status == 200
    assert blue.posts("/v1/responses", {"input": json.dumps({"file_id": FILE})}).status == 200


@pytest.mark.parametrize(
    ("escaped", "status"),
    [
        (rb'{"previous\u005fresponse_id":"%s"}', 400),
        (rb'{"previous_response_id":"\u0066%s"}', 400),
        (rb'{"p\u0072evious_response_id":"%s"}', 400),
        (rb'{"input":"\u00e4 \u003c \u0022 %s"}', 200),
        (rb'{"input":"\\u0041 is how JSON writes A %s"}', 200),
        (rb'{"input":"\\\u0041 %s"}', 400),
    ],
)
def test_letters_that_hide_as_escapes_are_refused(escaped: bytes, status: int) -> None:
    _, blue = two_teams()

    assert blue.posts("/v1/responses", escaped % b"ile-1").status == status


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Encoding": "gzip"}, b"\x1f\x8b"),
        ({"Content-Type": "application/json; charset=utf-16"}, b"{}"),
        ({"Content-Type": 'application/json; charset = "UTF-7"'}, b"{}"),
        ({}, '{"previous_response_id":"x"}'.encode("utf-16-le")),
    ],
)
def test_a_body_that_is_no_plain_text_is_refused_where_it_could_name_objects(
    headers: dict[str, str], body: bytes
) -> None:
    _, blue = two_teams()

    assert blue.posts("/v1/responses", body, headers=headers).status == 415
    assert blue.posts("/v1/chat/completions", body, headers=headers).status == 200


@pytest.mark.parametrize("value", ["application/json", "application/json;charset=utf-8", 'a/b; charset = "UTF-8"'])
def test_plain_utf_8_is_taken_however_it_is_named(value: str) -> None:
    _, blue = two_teams()

    assert blue.posts("/v1/responses", {"input": "hi"}, headers={"Content-Type": value}).status == 200


def test_padding_beyond_what_a_gateway_reads_hides_nothing() -> None:
    red, blue = two_teams()
    red.makes_a_file()
    padded = {"input": "x" * 2_100_000, "previous_response_id": FILE}
    form = {"Content-Type": "multipart/form-data; boundary=x"}

    assert blue.posts("/v1/responses", padded).status == 413
    assert blue.posts("/v1/responses", padded, headers=form).status == 413
    assert blue.posts("/v1/responses", {"previous_response_id": FILE}, headers=form).status == 404
    assert blue.posts("/files", b"x" * 2_100_000, headers=form, answer={"id": "file-9"}).status == 200


def test_a_call_names_fifty_objects_at_most() -> None:
    red, _ = two_teams()

    assert red.posts("/vector_stores", {"file_ids": [f"file-{number}" for number in range(50)]}).status == 200
    assert red.posts("/vector_stores", {"file_ids": [f"file-{number}" for number in range(51)]}).status == 400


def test_the_last_of_fifty_is_looked_at_too() -> None:
    red, blue = two_teams()
    red.makes_a_file("file-49")

    assert blue.posts("/vector_stores", {"file_ids": [f"file-{number}" for number in range(50)]}).status == 404


@pytest.mark.parametrize("path", ["/files", "/v1/files", "/assistants", "/batches", "/v1/chat/completions", "/v1/new"])
def test_lists_of_everybodys_objects_are_refused(path: str) -> None:
    _, blue = two_teams()

    call = blue.gets(path, path)

    assert (call.status, call.forwarded) == (403, [])
    assert parts(call)[-1]["lastError"]["reason"] == "ListOfAllObjects"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/models", "/models"),
        ("/deployments", "/deployments"),
        ("/deployments/chat", "/deployments/{deployment-id}"),
        ("/models/gpt-4o", "/models/{model_id}"),
    ],
)
def test_what_belongs_to_all_is_open_to_all(path: str, template: str) -> None:
    red, blue = two_teams()

    assert red.gets(path, template).status == 200
    assert blue.gets(path, template).status == 200
    assert red.gateway.cache.keys() == {key for key in red.gateway.cache if key.startswith("capture/")}


def test_what_is_in_an_object_belongs_to_whom_the_object_belongs() -> None:
    red, blue = two_teams()
    red.posts("/threads", {}, answer={"id": THREAD})
    template = "/threads/{thread_id}/messages/{message_id}"

    assert red.gets(f"/threads/{THREAD}/messages/msg_1", template).status == 200
    assert blue.gets(f"/threads/{THREAD}/messages/msg_1", template).status == 404
    assert blue.gets(f"/threads/{THREAD}/messages", "/threads/{thread_id}/messages").status == 404
    assert "ownership/msg_1" not in red.gateway.cache


@pytest.mark.parametrize("name", ["file%2D0a1b", "file-1%00", "../files/file-1", "fílé-1", "f" * 129])
def test_a_path_with_letters_that_no_id_has_leads_nowhere(name: str) -> None:
    _, blue = two_teams()
    context = a_call(None, method="GET", url="/openai/files/x", template="/files/{file_id}")
    context.request.matched_parameters.items["file_id"] = name

    assert blue.calls(context).status == 404


def test_an_unknown_object_belongs_to_whoever_names_it_first_with_success() -> None:
    red, blue = two_teams()
    template = "/responses/{response_id}"

    missed = blue.calls(
        a_call(None, method="GET", url="/openai/responses/resp_1", template=template), an_answer(b"{}", 404)
    )
    first = red.gets("/responses/resp_1", template)
    second = blue.gets("/responses/resp_1", template)

    assert (missed.status, first.status, second.status) == (404, 200, 404)
    assert second.forwarded == []


def test_where_the_setting_says_so_an_unknown_object_is_refused() -> None:
    red, _ = two_teams(**{"ownership-unknown": "refuse"})
    red.makes_a_file()

    assert red.gets(f"/files/{FILE}", "/files/{file_id}").status == 200
    unknown = red.gets("/files/file-unknown", "/files/{file_id}")
    assert (unknown.status, unknown.forwarded) == (404, [])


def test_a_stream_that_made_a_response_leaves_it_to_whoever_goes_on_with_it() -> None:
    red, blue = two_teams()
    red.calls(a_call(b'{"stream":true}', url="/openai/v1/responses", template="/v1/responses"), a_stream())

    assert red.posts("/v1/responses", {"previous_response_id": RESPONSE}).status == 200
    assert blue.posts("/v1/responses", {"previous_response_id": RESPONSE}).status == 404


def test_an_owner_is_never_replaced_by_what_an_answer_says() -> None:
    red, blue = two_teams()
    red.makes_a_file()

    blue.posts("/v1/responses", {"input": "hi"}, answer={"id": FILE})
    blue.posts("/v1/responses", {"input": "hi"}, answer={"id": "resp_2", "metadata": {"id": "file-3"}})

    assert red.gateway.cache[f"ownership/{FILE}"] == "subscription/red"
    assert "ownership/file-3" not in red.gateway.cache


def test_all_that_an_answer_makes_belongs_to_who_asked() -> None:
    red, blue = two_teams()
    made = {
        "id": "resp_5",
        "conversation": {"id": "conv_5"},
        "output": [{"id": "msg_5"}, {"id": "ci_5", "container_id": "cntr_5"}],
        "output_file_id": "file-5",
        "error_file_id": None,
        "result_files": ["file-6", {"no": "id"}],
        "file": {"id": "file-7"},
    }

    red.posts("/v1/responses", {"input": "hi"}, answer=made)

    for name in ("resp_5", "conv_5", "ci_5", "cntr_5", "file-5", "file-6", "file-7"):
        assert red.gateway.cache[f"ownership/{name}"] == "subscription/red"
    assert blue.posts("/v1/responses", {"input": [{"type": "item_reference", "id": "msg_5"}]}).status == 404
    assert blue.posts("/v1/responses", {"input": [{"id": "msg_5"}]}).status == 404
    assert red.posts("/v1/responses", {"input": [{"type": "item_reference", "id": "msg_5"}]}).status == 200


def test_items_that_are_sent_whole_are_no_names_of_objects() -> None:
    red, blue = two_teams()
    red.posts("/v1/responses", {"input": "hi"}, answer={"id": "resp_5", "output": [{"id": "msg_5"}]})

    again = {"input": [{"type": "message", "role": "assistant", "id": "msg_5", "content": "hello"}]}

    assert blue.posts("/v1/responses", again).status == 200


def test_a_chat_completion_that_is_kept_has_an_owner_and_others_cost_nothing() -> None:
    red, blue = two_teams()
    template = "/v1/chat/completions/{completion_id}"

    red.posts("/v1/chat/completions", {"store": True}, answer=json.loads(COMPLETION))
    red.posts("/v1/chat/completions", {"messages": []}, answer={"id": "chatcmpl-2"})

    assert blue.gets("/v1/chat/completions/chatcmpl-1", template).status == 404
    assert red.gets("/v1/chat/completions/chatcmpl-1", template).status == 200
    assert "ownership/chatcmpl-2" not in red.gateway.cache


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        ("subscription", "subscription/red"),
        ("application", "application/app-1"),
        ("person", "person/oid-1"),
    ],
)
def test_the_setting_says_who_owns(kind: str, owner: str) -> None:
    red = a_team(a_gateway(named={"ownership": kind}), "red", TOKEN)

    red.makes_a_file()

    assert red.gateway.cache[f"ownership/{FILE}"] == owner


@pytest.mark.parametrize(
    ("token", "owner"), [({"oid": ["o"]}, "person/o"), ({"oid": ["o"], "azp": ["a"]}, "application/a")]
)
def test_who_has_no_application_owns_as_a_person(token: dict[str, list[str]], owner: str) -> None:
    red = a_team(a_gateway(named={"ownership": "application"}), "red", token)

    red.makes_a_file()

    assert red.gateway.cache[f"ownership/{FILE}"] == owner


def test_who_cannot_be_told_owns_nothing_and_reaches_nothing() -> None:
    red = a_team(a_gateway(named={"ownership": "person"}), "red", {"appid": ["a"]})

    red.makes_a_file()

    assert f"ownership/{FILE}" not in red.gateway.cache
    assert red.gets(f"/files/{FILE}", "/files/{file_id}").status == 404


def test_switched_off_it_does_nothing() -> None:
    red, blue = two_teams(ownership="off")
    red.makes_a_file()

    assert blue.gets(f"/files/{FILE}", "/files/{file_id}").status == 200
    assert blue.gets("/files", "/files").status == 200
    assert not [key for key in red.gateway.cache if key.startswith("ownership/")]


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"", b'{"id":7}', b'{"id":{"a":1}}', b'{"id":"a b"}', b"\xff"])
def test_an_answer_that_names_no_object_is_passed_on_as_it_came(content: bytes) -> None:
    red, _ = two_teams()

    call = red.calls(a_call(b"{}", url="/openai/threads", template="/threads"), an_answer(content))

    assert (call.status, call.ended_in) == (200, "outbound")
    assert not [key for key in red.gateway.cache if key.startswith("ownership/")]


def test_capture_says_the_same_with_and_without_owners() -> None:
    told = []
    for kind in ("subscription", "off"):
        red = a_team(a_gateway(named={"ownership": kind}), "red", TOKEN)
        call = red.posts("/v1/responses", {"input": "hi"}, answer={"id": RESPONSE, "output": []})
        told.append(parts(call))

    assert told[0] == told[1]
