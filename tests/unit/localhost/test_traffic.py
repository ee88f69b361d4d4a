import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from localhost.event_file import FileEvent, line_of
from localhost.traffic.calls import net_text
from localhost.traffic.mix import an_hour, within_hour
from shared.domain.fragment import Fragment
from shared.domain.verdicts import CATEGORIES, VERDICTS
from shared.errors import EventError
from shared.sources import read_event

pytestmark = pytest.mark.slow


def as_lines(events: Iterable[FileEvent]) -> list[bytes]:
    return [line_of(*event) for event in events]


def bodies() -> list[dict[str, Any]]:
    found = []
    for _, _, event in an_hour(6000, 3):
        try:
            body = json.loads(event.body)
        except ValueError:
            continue
        found.append(body)
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_there_are_exactly_as_many_events_as_asked_for(count: int) -> None:
    assert len(list(an_hour(count, 1))) == count


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert as_lines(an_hour(2000, 7)) == as_lines(an_hour(2000, 7))
    assert as_lines(an_hour(2000, 7)) != as_lines(an_hour(2000, 8))


def test_events_fill_the_hour_that_was_asked_for() -> None:
    start = datetime(2026, 6, 1, 12, tzinfo=UTC)

    times = [str(event.enqueued_at) for _, _, event in an_hour(3000, 1, start)]

    assert times == sorted(times)
    assert times[0].startswith("2026-06-01T12:00:")
    assert "2026-06-01T12:59:" < times[-1] < "2026-06-01T13:01:"


def test_positions_count_up_without_gaps_in_every_partition() -> None:
    numbers: dict[tuple[str, str], list[int]] = {}
    for hub, partition, event in an_hour(3000, 1):
        numbers.setdefault((hub, partition), []).append(int(event.sequence or 0))

    assert set(numbers) == {(hub, p) for hub in ("gateway", "monitor") for p in "0123"}
    assert all(sequence == list(range(len(sequence))) for sequence in numbers.values())


def test_every_source_and_every_kind_of_trouble_is_there() -> None:
    kinds: Counter[str] = Counter()
    for body in bodies():
        if body.get("schema"):
            kinds[f"native {body['part']} {body.get('status', '')}".strip()] += 1
        elif "event-type" in body:
            kinds[f"enterprise-logging {body['event-type']}"] += 1
        elif isinstance(body.get("records"), list):
            kinds.update({record.get("category", "metrics") for record in body["records"]})
        elif "totalTokens" in body:
            kinds[f"ai-hub-gateway {body['targetService']}" if "targetService" in body else "enterprise-azureai"] += 1
        elif "EventTime" in body:
            kinds["toolkit" if "Type" in body else "how-to"] += 1
        elif body.get("type") == "PII_Processing":
            kinds["ai-hub-gateway personal data"] += 1

    assert set(kinds) == {
        "native request",
        "native response 200",
        "native response 400",
        "native response 429",
        "native response 502",
        "native error 401",
        "native error 429",
        "enterprise-logging Request",
        "enterprise-logging Response",
        "ai-hub-gateway chat.completion",
        "ai-hub-gateway text_completion",
        "ai-hub-gateway list",
        "ai-hub-gateway personal data",
        "toolkit",
        "how-to",
        "enterprise-azureai",
        "GatewayLogs",
        "GatewayLlmLogs",
        "RequestResponse",
        "metrics",
    }


def test_pairs_are_whole_but_for_those_whose_response_the_policy_never_sends() -> None:
    parts: dict[str, set[object]] = {}
    for body in bodies():
        if body.get("part") in ("request", "response"):
            parts.setdefault(str(body["interactionId"]), set()).add(body["part"])

    assert set(map(frozenset, parts.values())) == {frozenset({"request", "response"})}


def test_enterprise_logging_events_are_indented_with_windows_line_ends_on_partition_0() -> None:
    events = [(partition, event.body) for _, partition, event in an_hour(2000, 3) if b'"event-type"' in event.body]

    assert {partition for partition, _ in events} == {"0"}
    assert all(body.startswith(b'{\r\n  "event-type"') for _, body in events)


def test_token_counts_add_up_and_fit_the_texts() -> None:
    for body in bodies():
        answer = body.get("body")
        if body.get("part") == "response" and isinstance(answer, dict) and "total_tokens" in answer.get("usage", {}):
            usage = answer["usage"]
            asked, written = (
                (usage["input_tokens"], usage["output_tokens"])
                if "input_tokens" in usage
                else (usage["prompt_tokens"], usage.get("completion_tokens", 0))
            )
            assert usage["total_tokens"] == asked + written
            assert 0 < usage["total_tokens"] < 5000


def test_every_operation_family_is_there_and_some_answers_are_streams() -> None:
    found: set[str] = set()
    streams = 0
    for _, _, event in an_hour(6000, 3):
        for fragment in readings(event.body):
            found.add(fragment.facts.get("operation", ""))
            streams += fragment.record_type.letter == "R" and fragment.facts.get("streamed", False)

    assert found >= {
        "chat.completions", "completions", "embeddings", "responses", "images.generations", "audio.speech",
        "audio.transcriptions", "threads.messages", "threads.runs", "batches", "vector_stores", "assistants",
        "fine_tuning.jobs",
    }  # fmt: skip
    assert streams > 300


def readings(body: bytes) -> Iterable[Fragment]:
    try:
        return read_event(body, "2026-03-02T09:30:00.000Z").fragments
    except EventError:
        return ()


def test_times_are_written_as_net_writes_them() -> None:
    assert net_text(1741536306000) == "3/9/2025 4:05:06 PM"
    assert net_text(1741478400000) == "3/9/2025 12:00:00 AM"


def test_the_hour_begins_slowly_and_is_filled_to_its_end() -> None:
    assert within_hour(0) == 0
    assert within_hour(0.05) > 0.05 * 3_600_000
    assert within_hour(0.9999999) < 3_600_000
    assert within_hour(1.0) < 3_600_000


def test_the_content_filter_finds_something_of_every_category_and_seldom() -> None:
    found: Counter[str] = Counter()
    calls = 0
    for _, _, event in an_hour(20_000, 3):
        for fragment in _fragments_of(event.body):
            calls += "prompt_filtered" in fragment.facts
            found.update(verdict.category for verdict in VERDICTS if verdict.field in fragment.facts)

    assert set(found) == set(CATEGORIES)
    assert 0.01 < found.total() / calls < 0.2


def _fragments_of(body: bytes) -> tuple[Fragment, ...]:
    try:
        return read_event(body, "2026-01-02T03:04:05.678Z").fragments
    except EventError:
        return ()
