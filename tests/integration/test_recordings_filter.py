"""What the content filter said of every recorded call, read back as recorded.

What is expected is taken straight from the recording, without the product's parsers.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import pytest

from shared.bootstrap import Services
from shared.questions import InteractionFilter
from shared.services.audit import Reader
from tests.builders import events
from tests.builders.recordings import Recording, native_pair, recordings

READER: Final = Reader("test", "test")
_COLUMNS: Final = {
    "hate": ("filter_prompt_hate", "filter_completion_hate"),
    "sexual": ("filter_prompt_sexual", "filter_completion_sexual"),
    "violence": ("filter_prompt_violence", "filter_completion_violence"),
    "self_harm": ("filter_prompt_self_harm", "filter_completion_self_harm"),
    "profanity": ("filter_prompt_profanity", "filter_completion_profanity"),
    "custom_blocklists": ("filter_prompt_blocklist", "filter_completion_blocklist"),
    "jailbreak": ("filter_jailbreak",) * 2,
    "indirect_attack": ("filter_indirect_attack",) * 2,
    "protected_material_text": ("filter_protected_text",) * 2,
    "protected_material_code": ("filter_protected_code",) * 2,
}
_FIELDS: Final = sorted({column for columns in _COLUMNS.values() for column in columns})
_SEVERITIES: Final = ["safe", "low", "medium", "high"]
_PROMPT, _COMPLETION = 0, 1


def said_by_the_filter(node: Any, side: int = _COMPLETION) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield every finding in a body: its side, its category and what is said of it."""
    if isinstance(node, list):
        for one in node:
            yield from said_by_the_filter(one, side)
    if not isinstance(node, dict):
        return
    if "content_filter_results" in node and "source_type" in node:
        side = _PROMPT if node["source_type"] == "prompt" else _COMPLETION
    for name, value in node.items():
        if name in ("content_filter_results", "content_filter_result"):
            yield from _findings(value, side)
        elif name in ("prompt_filter_results", "prompt_annotations", "error"):
            if isinstance(value, dict) and name == "prompt_filter_results" and "content_filter_results" not in value:
                yield from _findings(value, _PROMPT)
            else:
                yield from said_by_the_filter(value, _PROMPT)
        elif name not in ("arguments", "content", "text"):
            yield from said_by_the_filter(value, side)


def _findings(results: Any, side: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for category, told in (results or {}).items():
        for one in told if isinstance(told, list) else [told]:
            if category in _COLUMNS:
                yield side, category, one


def answers_of(recording: Recording) -> list[Any]:
    """Return the JSON of an answer, or of each event of a stream."""
    if not recording.streamed:
        return [recording.response]
    lines = (line.removeprefix("data:").strip() for line in recording.response.splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line.startswith("{")]


def expected_of(recording: Recording) -> dict[str, str | None]:
    """Return what the columns must hold."""
    told: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for side, category, one in said_by_the_filter(answers_of(recording)):
        told[_COLUMNS[category][side]].append(one)
    return {column: _verdict(told[column]) for column in _FIELDS}


def _verdict(told: list[dict[str, Any]]) -> str | None:
    severity = max((_SEVERITIES.index(one.get("severity", "safe")) for one in told), default=0)
    words = [_SEVERITIES[severity]] if severity else []
    if not severity and any(one.get("detected") for one in told):
        words.append("detected")
    if any(one.get("filtered") for one in told):
        words.append("filtered")
    return " ".join(words) or None


def sides_of(recording: Recording) -> dict[str, bool | None]:
    """Return whether the filter acted on a side, where annotations say; None where they do not."""
    acted: dict[int, list[bool]] = {_PROMPT: [], _COMPLETION: []}
    for side, _, one in said_by_the_filter(answers_of(recording)):
        acted[side] += [one["filtered"]] if "filtered" in one else []
    return {
        name: any(acted[side]) if acted[side] else None
        for name, side in (("prompt_filtered", _PROMPT), ("completion_filtered", _COMPLETION))
    }


CALLS: Final = recordings("", streamed=None)
ANNOTATED: Final = [one for one in CALLS if any(True for _ in said_by_the_filter(answers_of(one)))]
FOUND: Final = [one for one in ANNOTATED if any(expected_of(one).values())]


@pytest.mark.parametrize("recording", CALLS, ids=str)
def test_a_calls_findings_equal_its_recording(recording: Recording, ledger: Services) -> None:
    ledger.ingest(events.deliveries(*native_pair(recording, recording.id)))

    row = ledger.audit.interaction(recording.id, reader=READER)

    assert {column: row[column] for column in _FIELDS} == expected_of(recording)
    told = {side: acted for side, acted in sides_of(recording).items() if acted is not None}
    assert {side: row[side] for side in told} == told


def test_the_calls_with_findings_are_those_that_are_listed(ledger: Services) -> None:
    for recording in ANNOTATED:
        ledger.ingest(events.deliveries(*native_pair(recording, recording.id)))

    for category, columns in _COLUMNS.items():
        name = {"custom_blocklists": "blocklist"}.get(category, category)
        listed = ledger.audit.interactions(InteractionFilter(filter_category=name), after=None, limit=1000, reader=None)
        wanted = {one.id for one in FOUND if any(expected_of(one)[column] for column in columns)}
        assert {row["id"] for row in listed.rows} == wanted


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ANNOTATED) > 30
    assert len(FOUND) > 0
