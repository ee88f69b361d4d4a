"""Nobody fills the record: beyond his share of a minute a caller's calls are counted, and their bodies left out."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.gateway.calls import QUESTION, TOKEN, a_call, a_gateway, a_stream, an_answer
from tests.gateway.context import Context, Named
from tests.gateway.policies import Answer, Call, Gateway
from tests.unit.infra.policies.record import parts, recorded


def limited(most: str = "2") -> Gateway:
    return a_gateway(named={"capture-calls-per-minute": most})


def called(gateway: Gateway, context: Context | None = None, answer: Answer | None = None) -> Call:
    gateway.answers = [answer or an_answer()]
    return gateway.run(context or a_call())


def omitted(call: Call) -> list[str | None]:
    return [part.get("bodyOmitted") for part in parts(call)]


def test_over_the_limit_a_call_is_told_without_its_bodies_and_says_so() -> None:
    gateway = limited()

    calls = [called(gateway) for _ in range(4)]

    assert [omitted(call) for call in calls] == [[None, None]] * 2 + [["rate", "rate"]] * 2
    assert [call.status for call in calls] == [200] * 4
    assert not {"body", "bodyBase64", "bodyPart", "bodyRef"} & {name for part in parts(calls[3]) for name in part}


def test_a_call_over_the_limit_is_counted_and_marked(tmp_path: Path) -> None:
    gateway = limited("1")
    called(gateway)

    record = recorded(called(gateway), tmp_path)

    assert (record.row["state"], record.row["not_captured"], record.row["truncated"]) == ("complete", "rate", True)
    assert (record.row["http_status"], record.row["request_bytes"]) == (200, len(QUESTION))
    assert (record.content.prompt, record.content.completion) == (None, None)


def test_a_large_body_over_the_limit_goes_nowhere() -> None:
    gateway = limited("1")
    called(gateway)

    call = called(gateway, a_call(b"x" * 1_000_000), an_answer(b"x" * 1_000_000))

    assert (len(call.events), call.blobs) == (2, {})
    assert all(len(event) < 4_000 for _, _, event in call.events)


def test_each_caller_has_a_share_of_his_own_and_a_new_one_each_minute() -> None:
    gateway = limited("1")
    for context in (
        a_call(),
        a_call(subscription=Named("team-b")),
        a_call(subscription=None),
        a_call(elapsed=timedelta(minutes=1)),
    ):
        assert omitted(called(gateway, context)) == [None, None]
    gateway.token = TOKEN | {"oid": ["oid-2"]}

    assert omitted(called(gateway)) == [None, None]
    assert omitted(called(gateway)) == ["rate", "rate"]


def test_what_a_caller_writes_into_headers_gives_him_no_new_share() -> None:
    gateway = limited("1")
    called(gateway)

    forged = {"X-Forwarded-For": "192.0.2.1", "x-session-id": "new", "x-end-user-id": "new", "api-key": "other"}

    assert omitted(called(gateway, a_call(headers=forged))) == ["rate", "rate"]


def test_a_stream_over_the_limit_stays_a_stream_and_nothing_is_said_to_lack_that_never_was_there() -> None:
    gateway = limited("1")
    called(gateway)

    stream = called(gateway, answer=a_stream())
    nothing = called(
        gateway, a_call(None, method="GET", url="/openai/models", template="/models"), Answer(bodiless=True)
    )

    assert omitted(stream) == ["rate", None]
    assert parts(stream)[1]["streamed"] is True
    assert omitted(nothing) == [None, None]


def test_a_call_over_the_limit_is_tried_again_like_any_other() -> None:
    gateway = limited("1")
    called(gateway)
    gateway.answers = [an_answer(b"", 503, reason="Service Unavailable"), an_answer()]

    assert len(gateway.run(a_call()).forwarded) == 2


@pytest.mark.parametrize("most", ["0", "600"])
def test_no_limit_and_a_wide_one_leave_nothing_out(most: str) -> None:
    gateway = limited(most)

    assert [omitted(called(gateway)) for _ in range(5)] == [[None, None]] * 5
    assert bool(gateway.cache) is (most != "0")
