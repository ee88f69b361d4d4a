"""Bodies of every kind and size: whole, in base64, in parts, by claim check, left out; the policies' own text, run."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.gateway.calls import COMPLETION, ID, QUESTION, a_call, a_gateway, an_answer
from tests.gateway.context import Context
from tests.gateway.policies import EVENT_BYTES, V2_BUFFER, Answer, Call
from tests.unit.infra.policies.record import fragments, parts, recorded

pytestmark = pytest.mark.slow

PART = 120_000
"""Bytes of a body in one part: 160,000 letters of base64."""
MOST = 8 * PART
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--b\r\n'
    b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    + bytes(range(256))
    + b"\r\n--b--\r\n"
)
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}
SPEECH = {"Content-Type": "audio/mpeg"}


def asked(content: bytes | None, **changes: Any) -> Call:
    """Return what a call with this body became."""
    return a_gateway(**changes).run(a_call(content))


def answered(content: bytes, *, headers: dict[str, str] | None = None, **changes: Any) -> Call:
    answer = an_answer(content)
    return a_gateway(Answer(200, content, answer.headers if headers is None else headers), **changes).run(a_call())


def of_part(call: Call, part: str) -> list[dict[str, Any]]:
    return [one for one in parts(call) if one["part"] == part]


def body_of(events: list[dict[str, Any]]) -> bytes:
    """Return the bytes that the events of one part hold."""
    if "body" in events[0]:
        return str(events[0]["body"]).encode()
    if "bodyBase64" in events[0]:
        return base64.b64decode(events[0]["bodyBase64"], validate=True)
    pieces = sorted((one["bodyPart"] for one in events), key=lambda piece: int(piece["index"]))
    assert [piece["index"] for piece in pieces] == list(range(pieces[0]["count"]))
    return b"".join(base64.b64decode(piece["data"], validate=True) for piece in pieces)


def length_of_the_whole(content: bytes) -> int:
    (event,) = [event for _, _, event in asked(content).events if b'"part":"request"' in event]
    return len(event)


# Whole


def test_a_body_is_the_text_that_was_sent_letter_by_letter() -> None:
    text = '{"when": "2024-01-02T03:04:05.000+02:00", "n": 1.0e5, "n": 1e400, "s": "\\u00e9\u2028\\/"}'

    (request,) = of_part(asked(text.encode()), "request")

    assert request["body"] == text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"no JSON at all", id="a text"),
        pytest.param(b"{'single': 'quotes'}", id="JSON that is none"),
        pytest.param(b'{"cut": "of', id="JSON that is cut off"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="a byte order mark"),
        pytest.param(b'"\x00\x01\x1f\x7f"', id="control characters"),
        pytest.param("\u0085\u2028\u2029\ufffd\U0001f600".encode(), id="letters that JSON's writer escapes"),
    ],
)
def test_a_body_of_text_is_a_string_whatever_it_holds(content: bytes) -> None:
    (request,) = of_part(asked(content), "request")

    assert request["body"].encode() == content
    assert request["size"] == len(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(b'{"broken": "\xff"}', id="JSON with bytes that are no text"),
        pytest.param(b"\xed\xa0\x80", id="half a surrogate pair"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
    ],
)
def test_a_body_that_is_no_text_is_base64(content: bytes) -> None:
    (request,) = of_part(asked(content), "request")

    assert "body" not in request
    assert base64.b64decode(request["bodyBase64"]) == content


def test_a_form_is_read_field_by_field(tmp_path: Path) -> None:
    template = "/deployments/{deployment-id}/audio/transcriptions"
    url = "/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21"

    call = a_gateway().run(a_call(FORM, url=url, template=template, headers=FORM_TYPE))

    record = recorded(call, tmp_path)
    assert record.row["operation"] == "audio.transcriptions"
    assert record.content.request["model"] == "whisper"
    assert record.row["request_bytes"] == len(FORM)
    assert call.forwarded[0]["Content-Type"] == FORM_TYPE["Content-Type"]


@pytest.mark.parametrize("content", [None, b""])
def test_no_body_has_a_size_of_nothing(content: bytes | None) -> None:
    call = a_gateway(an_answer(b"", 204)).run(
        a_call(content, method="DELETE", url="/openai/files/f", template="/files/{id}")
    )

    for one in parts(call):
        assert one["size"] == 0
        assert not {"body", "bodyBase64", "bodyPart", "bodyRef", "bodyOmitted"} & set(one)


# The limits, byte by byte


def test_an_event_of_200_kb_is_whole_and_one_of_a_byte_more_is_not() -> None:
    around = length_of_the_whole(b"x") - len("x") - len("1")
    fits = EVENT_BYTES - around - len("199999")

    (event,) = [event for _, _, event in asked(b"x" * fits).events if b'"part":"request"' in event]
    parted = of_part(asked(b"x" * (fits + 1)), "request")

    assert len(event) == EVENT_BYTES
    assert json.loads(event)["body"] == "x" * fits
    assert len(parted) == 2
    assert body_of(parted) == b"x" * (fits + 1)


@pytest.mark.parametrize("letter", [b"x", b'"', b"\\", b"\x01", "ü".encode(), "\N{GRINNING FACE}".encode(), b"\xff"])
def test_no_event_is_ever_cut_whatever_the_letters(letter: bytes) -> None:
    """Near the limit, where escapes and wide letters decide."""
    seen = set()
    for length in range(30_000, 212_000, 11_717):
        content = (letter * length)[: length - length % len(letter)]

        call = asked(content)

        events = of_part(call, "request")
        assert all(len(event) < EVENT_BYTES or json.loads(event) for _, _, event in call.events)
        assert body_of(events) == content
        seen.add(next(name for name in ("body", "bodyBase64", "bodyPart") if name in events[0]))
    assert "bodyPart" in seen


@pytest.mark.parametrize(
    ("length", "member", "count"),
    [
        pytest.param(PART, "bodyBase64", 1, id="as much as one part"),
        pytest.param(PART + 1, "bodyPart", 2, id="a byte more"),
        pytest.param(2 * PART, "bodyPart", 2, id="two parts"),
        pytest.param(2 * PART + 1, "bodyPart", 3, id="a byte more than two parts"),
        pytest.param(MOST, "bodyPart", 8, id="as many parts as there may be"),
    ],
)
def test_a_body_that_no_event_holds_comes_in_parts(length: int, member: str, count: int) -> None:
    content = bytes([255, 0, 34]) * (length // 3 + 1)
    content = content[:length]

    call = asked(content)

    events = of_part(call, "request")
    assert len(events) == count
    assert member in events[0]
    assert body_of(events) == content
    assert all(one["size"] == length for one in events)
    assert len({json.dumps({name: one[name] for name in one if name != "bodyPart"}) for one in events}) == 1


def test_parts_are_put_together_in_the_record(tmp_path: Path) -> None:
    question = json.dumps(
        {"messages": [{"role": "user", "content": "ü\N{GRINNING FACE}\n" * 60_000}]}, ensure_ascii=False
    )
    answer = json.loads(COMPLETION)
    answer["choices"][0]["message"]["content"] = '"four" ' * 60_000
    call = a_gateway(an_answer(json.dumps(answer).encode())).run(a_call(question.encode()))

    record = recorded(call, tmp_path)

    assert len(call.events) > 6
    assert record.row["state"] == "complete"
    assert record.content.request == json.loads(question)
    assert record.content.completion == '"four" ' * 60_000


@settings(max_examples=50)
@given(st.binary(max_size=400), st.integers(1, 900), st.sampled_from(["request", "response"]))
@example(b'"', 100_001, "request")
@example(b"\xff\xfe", 60_001, "response")
def test_any_body_is_recorded_byte_by_byte(seed: bytes, repeats: int, part: str) -> None:
    content = seed * repeats

    call = asked(content) if part == "request" else answered(content)

    events = of_part(call, part)
    assert call.status == 200
    assert events[0]["size"] == len(content)
    assert (body_of(events) if content else b"") == content
    assert all(len(event) <= EVENT_BYTES for _, _, event in call.events)


# Claim check


@pytest.mark.parametrize("part", ["request", "response"])
def test_a_body_of_more_parts_goes_to_blob_storage(part: str, tmp_path: Path) -> None:
    content = b"x" * MOST

    at_most = asked(content) if part == "request" else answered(content)
    content += b" "
    call = asked(content) if part == "request" else answered(content)

    (event,) = of_part(call, part)
    path = f"2026/03/02/{ID}/{part}"
    ((url, (headers, stored)),) = call.blobs.items()
    assert not at_most.blobs
    assert event["bodyRef"] == {
        "container": "claim-checks",
        "blob": path,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert url == f"PUT https://content.blob.example/claim-checks/{path}"
    assert stored == content
    assert headers["x-ms-blob-type"] == "BlockBlob"
    assert headers["Authorization"] == "Bearer gateway-1 for https://storage.azure.com/"
    assert event["size"] == len(content)
    assert recorded(call, tmp_path).row[f"{part}_bytes"] == len(content)


@pytest.mark.parametrize("status", [403, 409, 503, None])
def test_a_claim_check_that_fails_is_told_and_fails_no_call(status: int | None, tmp_path: Path) -> None:
    call = asked(b"x" * (MOST + 1), blob_statuses=(status,))

    (event,) = of_part(call, "request")
    record = recorded(call, tmp_path)
    assert call.status == 200
    assert event["bodyOmitted"] == "claim check failed"
    assert "bodyRef" not in event
    assert (record.row["truncated"], record.row["request_bytes"]) == (True, MOST + 1)


def test_the_claim_check_of_the_answer_is_not_that_of_the_question() -> None:
    """Its failure is not hidden by the success before."""
    call = a_gateway(an_answer(b"y" * (MOST + 1)), blob_statuses=(201, None)).run(a_call(b"x" * (MOST + 1)))

    assert "bodyRef" in of_part(call, "request")[0]
    assert of_part(call, "response")[0]["bodyOmitted"] == "claim check failed"


def test_without_claim_checks_a_large_body_is_left_out_and_told(tmp_path: Path) -> None:
    call = asked(b"x" * (MOST + 1), claim_check=False)

    (event,) = of_part(call, "request")
    assert event["bodyOmitted"] == "too large"
    assert not call.blobs
    assert recorded(call, tmp_path).row["truncated"] is True


# What is not read


@pytest.mark.parametrize("claim_check", [True, False])
def test_a_body_that_the_gateway_cannot_hold_is_not_read(claim_check: bool) -> None:  # noqa: FBT001
    context = a_call(b"x" * (V2_BUFFER + 1), headers=FORM_TYPE, url="/openai/files", template="/files")

    call = a_gateway(claim_check=claim_check).run(context)

    (event,) = of_part(call, "request")
    assert call.status == 200
    assert context.request.body is not None
    assert context.request.body.reads == 0
    assert (event["size"], event["bodyOmitted"]) == (V2_BUFFER + 1, "too large")


def test_a_body_of_as_much_as_the_gateway_can_hold_is_read() -> None:
    call = asked(b"x" * V2_BUFFER)

    assert of_part(call, "request")[0]["bodyRef"]["bytes"] == V2_BUFFER


def test_a_large_question_goes_to_the_pool_too_but_only_once() -> None:
    context = a_call(b"x" * (V2_BUFFER + 1))

    call = a_gateway(an_answer(b"{}", 503)).run(context)

    assert [(one["backend"], one["buffered"]) for one in call.forwarded] == [("openai-pool", "false")]
    assert call.status == 503


@pytest.mark.parametrize(
    ("headers", "omitted"),
    [
        pytest.param({}, None, id="JSON"),
        pytest.param({"Content-Type": "APPLICATION/JSON; charset=utf-8"}, None, id="JSON in other letters"),
        pytest.param(FORM_TYPE, "length unknown", id="a form"),
        pytest.param({"Content-Type": ""}, "length unknown", id="no type"),
        pytest.param({"Content-Length": "many"}, None, id="a length that is no number"),
    ],
)
def test_of_a_body_whose_length_nobody_tells_only_json_is_read(headers: dict[str, str], omitted: str | None) -> None:
    call = a_gateway().run(a_call(QUESTION, headers=headers, told=False))

    (event,) = of_part(call, "request")
    assert event.get("bodyOmitted") == omitted
    assert ("size" in event) == (omitted is None)


@pytest.mark.parametrize(
    ("headers", "omitted"),
    [
        pytest.param({"Content-Type": "application/json"}, None, id="JSON"),
        pytest.param({"Content-Type": "text/vtt"}, None, id="subtitles"),
        pytest.param({}, None, id="an error page without a type"),
        pytest.param(SPEECH, "length unknown", id="speech while it is made"),
        pytest.param(SPEECH | {"Content-Length": "11"}, None, id="speech of a known length"),
        pytest.param(
            {"Content-Type": "application/octet-stream", "Content-Length": "2097153"}, "too large", id="a file"
        ),
    ],
)
def test_an_answer_is_read_where_that_holds_nothing_back(headers: dict[str, str], omitted: str | None) -> None:
    context = a_call()

    call = a_gateway(Answer(200, b"11 bytes \xff\xfe", headers)).run(context)

    (event,) = of_part(call, "response")
    assert event.get("bodyOmitted") == omitted
    assert event["streamed"] is False
    assert context.response is not None
    assert context.response.body is not None
    assert context.response.body.reads == (1 if omitted is None else 0)


@pytest.mark.parametrize(
    ("template", "omitted"),
    [
        ("/deployments/{deployment-id}/chat/completions", None),
        ("/v1/responses", None),
        ("/deployments/{deployment-id}/images/generations", "length unknown"),
        ("/v1/Embeddings", "length unknown"),
        ("/files/{file_id}/content", "length unknown"),
    ],
)
def test_json_that_may_be_larger_than_the_gateway_is_read_only_if_its_length_is_told(
    template: str, omitted: str | None
) -> None:
    untold = Answer(200, COMPLETION, {"Content-Type": "application/json"})

    calls = [a_gateway(answer).run(a_call(template=template)) for answer in (untold, an_answer())]

    assert [of_part(call, "response")[0].get("bodyOmitted") for call in calls] == [omitted, None]


def test_an_answer_that_the_gateway_could_not_hold_is_an_error_after_one_attempt(tmp_path: Path) -> None:
    answer = Answer(200, b"x" * (V2_BUFFER + 1), {"Content-Type": "application/json"}, after_ms=700)

    call = a_gateway(answer).run(a_call())

    (error,) = of_part(call, "error")
    assert error["attempts"] == [{"backendId": "openai-pool", "status": 200, "ms": 700}]
    assert (error["status"], error["lastError"]["section"]) == (500, "outbound")
    assert recorded(call, tmp_path).row["state"] == "failed"


def test_the_backend_and_the_caller_get_what_was_sent() -> None:
    """Reading for the record takes nothing from the call."""
    context = a_call()

    a_gateway().run(context)

    assert context.request.body is not None
    assert context.response is not None
    assert context.response.body is not None
    assert not context.request.body.consumed
    assert not context.response.body.consumed


def test_nothing_of_a_body_stays_in_a_variable() -> None:
    context: Context = a_call(b"needle" * 99)

    a_gateway(an_answer(b"needle" * 99)).run(context)

    kept = [
        name for name, value in context.variables.items.items() if "needle" in str(value) or "bmVlZGxl" in str(value)
    ]
    assert kept == []


def test_the_native_source_knows_where_each_part_stands() -> None:
    chunks = [one.chunk for one in fragments(asked(b"\xff" * (2 * PART + 1))) if one.record_type.letter == "Q"]

    assert [(chunk.place, chunk.total, chunk.form) for chunk in chunks if chunk] == [
        (0, 3, "b"),
        (1, 3, "b"),
        (2, 3, "b"),
    ]
