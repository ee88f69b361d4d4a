"""The trace of words that no list knows."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import Facts
from shared.domain.unknown_words import FIELD, LONGEST, MOST, note, united, words_in
from shared.merge import OWN, contributions_of, fold
from shared.sources import RECORD_TYPES
from tests.builders.merging import merge

_words = st.lists(st.sampled_from([f"word_{number}" for number in range(24)]), max_size=MOST + 4)


def _trace(words: Sequence[object], kind: str = "kind") -> str | None:
    facts: Facts = {}
    note(facts, kind, words)
    return facts.get(FIELD)


def test_words_are_noted_by_kind_sorted_and_once() -> None:
    facts: Facts = {}

    note(facts, "header", ["x-ms-spill", "x-ms-spill"])
    note(facts, "error_code", ["new_code"])

    assert facts == {FIELD: '["error_code:new_code","header:x-ms-spill"]'}


def test_no_word_leaves_no_trace() -> None:
    assert _trace([]) is None


@pytest.mark.parametrize(
    "told",
    [
        pytest.param("How are you?", id="a sentence"),
        pytest.param("Grüße", id="a word of a person's language"),
        pytest.param("a\nb", id="two lines"),
        pytest.param("new_code\n", id="a line end"),
        pytest.param("", id="nothing"),
        pytest.param(429, id="a number"),
        pytest.param({"a": 1}, id="an object"),
        pytest.param(None, id="a null"),
        pytest.param("a" * 20 + "@example.com", id="an address"),
        pytest.param("c5e0bc1f4b4d4b0f8a2d3c4b5a697887", id="a key of hex digits"),
        pytest.param("d0d0bc1f-4b4d-4b0f-8a2d-3c4b5a697887", id="a GUID"),
        pytest.param("sk-proj-" + "aB3dE" * 9, id="a key of OpenAI's"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", id="a token"),
    ],
)
def test_what_is_no_plain_word_becomes_a_question_mark(told: object) -> None:
    assert _trace([told]) == '["kind:?"]'


@pytest.mark.parametrize("told", ["web_search_preview_2025_03_11", "ChatCompletions_Create", "x-ms-a", "response.done"])
def test_a_word_of_the_service_is_kept_as_it_is(told: str) -> None:
    assert _trace([told]) == f'["kind:{told}"]'


def test_a_long_word_is_cut() -> None:
    assert _trace(["a" * 500]) == f'["kind:{"a" * LONGEST}"]'


@given(st.lists(st.text(), max_size=40), st.lists(st.integers() | st.text(), max_size=40))
def test_any_trace_is_short_and_plain(one: list[str], other: list[object]) -> None:
    facts: Facts = {}
    note(facts, "a", one)
    note(facts, "b", other)

    words = words_in(facts.get(FIELD))

    assert len(words) <= MOST
    assert all(word.isascii() and " " not in word and len(word) <= LONGEST + 2 for word in words)
    assert words == sorted(set(words))


@given(_words, _words, _words)
def test_any_traces_unite_to_the_same_whatever_the_order_and_repeats(
    one: list[str], two: list[str], three: list[str]
) -> None:
    traces = [trace for words in (one, two, three) if (trace := _trace(words)) is not None]
    results = set()

    for order in itertools.permutations(traces):
        whole = "[]"
        for trace in (*order, *order):
            whole = united(whole, trace)
        results.add(whole)

    assert len(results) == 1
    assert (
        words_in(results.pop()) == sorted({f"kind:{word}" for word in (*one, *two, *three)})[:MOST]
        or len({*one, *two, *three}) > MOST
    )


@given(st.permutations(["Q", "R", "E", "G"]), st.lists(_words, min_size=4, max_size=4), st.integers(0, 4))
def test_the_words_of_any_records_are_all_kept_in_any_order_and_in_steps(
    codes: list[str], told: list[list[str]], singly: int
) -> None:
    own = dict(zip("QREG", told, strict=True))
    fragments = [
        Fragment("call-1", RECORD_TYPES[code], {FIELD: trace}, Content(), b"", key=code)
        for code in codes
        if (trace := _trace(own[code][:4])) is not None
    ]

    row = None
    for one in fragments[:singly]:
        row = merge("call-1", row, [one])
    row = merge("call-1", row, [*fragments, *fragments])

    kept = sorted({f"kind:{word}" for words in own.values() for word in words[:4]})
    assert words_in(row.get(FIELD)) == kept[:MOST]


def test_the_words_of_a_record_with_a_foreign_id_come_and_go_with_it() -> None:
    own = merge(
        "call-1", None, [Fragment("call-1", RECORD_TYPES["R"], {FIELD: '["a:one"]'}, Content(), b"", key="R:1")]
    )
    foreign = merge(
        "call-2", None, [Fragment("call-2", RECORD_TYPES["D"], {FIELD: '["b:two"]'}, Content(), b"", key="D:1")]
    )

    both = fold("call-1", contributions_of(own) | {"service:1": contributions_of(foreign)[OWN]}, 0)
    left = contributions_of(both)
    del left["service:1"]

    assert both[FIELD] == '["a:one","b:two"]'
    assert fold("call-1", left, 0)[FIELD] == '["a:one"]'
