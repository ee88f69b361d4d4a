"""The join: which record wins each field, and what follows from the fields."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fragment import Content, Fragment
from shared.domain.interaction import FIELDS, Facts
from shared.sources import RECORD_TYPES
from tests.builders.merging import merge


def a_fragment(letter: str, **facts: object) -> Fragment:
    """Return a fragment with its document key, which differs with its facts."""
    key = f"{letter}:{hash(repr(sorted(facts.items())))}"
    told: Facts = {"occurred_at": "2026-03-02T09:00:00.000Z", **facts}
    return Fragment("call-1", RECORD_TYPES[letter], told, Content(), b"", key=key)


def test_a_better_record_replaces_a_worse_one_whatever_the_order() -> None:
    answered, asked = a_fragment("R", model="gpt-4o-2024-11-20"), a_fragment("Q", model="chat")

    rows = [merge("call-1", None, order) for order in ([answered, asked], [asked, answered])]

    assert rows[0] == rows[1]
    assert rows[0]["model"] == "gpt-4o-2024-11-20"


def test_between_two_words_of_the_same_record_type_the_larger_wins_and_the_earlier_start() -> None:
    one = a_fragment("Q", deployment="a", occurred_at="2026-03-02T09:00:02.000Z")
    two = a_fragment("Q", deployment="b", occurred_at="2026-03-02T09:00:01.000Z")

    row = merge("call-1", None, [two, one])

    assert row["deployment"] == "b"
    assert row["occurred_at"] == "2026-03-02T09:00:01.000Z"


def test_merging_in_two_steps_is_merging_at_once() -> None:
    asked, answered = a_fragment("Q", has_request=True), a_fragment("R", has_response=True, http_status=200)

    first = merge("call-1", None, [asked])
    steps = merge("call-1", first, [answered])

    assert steps == merge("call-1", None, [answered, asked])
    assert first["state"] == "pending"
    assert steps["state"] == "complete"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        pytest.param({"http_status": 200}, "complete", id="a success is complete"),
        pytest.param({"http_status": 429, "error_code": "429"}, "failed", id="an error of the backend failed"),
        pytest.param({"http_status": 400, "error_code": "content_filter"}, "refused", id="the filter refused"),
        pytest.param(
            {"http_status": 400, "error_code": "content_policy_violation"}, "refused", id="so did the images'"
        ),
        pytest.param({"http_status": 200, "error_code": "server_error"}, "failed", id="a stream failed half-way"),
        pytest.param({"http_status": 401, "gateway_refused": True}, "refused", id="the gateway refused"),
        pytest.param({"error_code": "Timeout"}, "failed", id="an error without status failed"),
        pytest.param({"http_status": 200, "error_message": "Sorry."}, "failed", id="so did one without a code"),
    ],
)
def test_the_state_follows_from_the_facts(facts: dict[str, object], state: str) -> None:
    both = a_fragment("E", has_request=True, has_response=True, **facts)

    assert merge("call-1", None, [both])["state"] == state


def test_no_usage_is_missing_and_not_nought() -> None:
    row = merge("call-1", None, [a_fragment("R", has_response=True)])

    assert row["usage_provenance"] == "missing"
    assert row.get("total_tokens") is None


def test_the_row_lists_the_sources_that_spoke_and_who_won_each_field() -> None:
    row = merge("call-1", None, [a_fragment("Q", model="chat"), a_fragment("u", total_tokens=5)])

    assert row["sources"] == '["ai-hub-gateway","native"]'
    assert row["usage_provenance"] == "logged"
    assert len(row["field_sources"]) == len(FIELDS)


def test_an_interaction_of_which_nobody_knows_the_time_has_one_as_soon_as_somebody_does() -> None:
    timeless = Fragment("call-1", RECORD_TYPES["R"], {"has_response": True}, Content(), b"", key="R:1")

    first = merge("call-1", None, [timeless])
    then = merge("call-1", first, [a_fragment("Q", has_request=True)])

    assert first["occurred_at"] == "0001-01-01T00:00:00.000Z"
    assert then["occurred_at"] == "2026-03-02T09:00:00.000Z"


@pytest.mark.parametrize(
    ("told", "model"),
    [
        pytest.param([("Q", "requested_model", "router")], "router", id="nobody tells who served"),
        pytest.param([("Q", "requested_model", "router"), ("D", "model", "m-1")], "m-1", id="a log does"),
        pytest.param([("G", "requested_model", "router"), ("L", "model", "m-1")], "m-1", id="the model log does"),
        pytest.param(
            [("G", "requested_model", "router"), ("R", "model", "m-1"), ("L", "model", "m")], "m-1", id="the answer"
        ),
    ],
)
def test_the_model_is_the_one_asked_for_only_until_a_record_tells_who_served(
    told: list[tuple[str, str, str]], model: str
) -> None:
    fragments = [a_fragment(code, **{name: value}) for code, name, value in told]

    rows = [merge("call-1", None, order) for order in (fragments, fragments[::-1])]

    assert rows[0] == rows[1]
    assert (rows[0]["model"], rows[0]["requested_model"]) == (model, "router")


def test_the_vendor_is_of_the_model_that_the_row_tells_and_of_no_contribution() -> None:
    asked, answered = a_fragment("Q", requested_model="model-router"), a_fragment("R", model="claude-sonnet-4-5")

    first = merge("call-1", None, [asked])
    then = merge("call-1", first, [answered])

    assert (first["vendor"], then["vendor"]) == ("openai", "anthropic")
    assert then == merge("call-1", None, [answered, asked]) | {"revision": then["revision"]}
    assert merge("call-1", None, [a_fragment("Q", has_request=True)])["vendor"] is None
    assert merge("call-1", None, [a_fragment("Q", operation="messages")])["vendor"] == "anthropic"


def test_a_time_that_was_replaced_never_stands_above_one_that_was_told_however_early_it_is() -> None:
    replaced = a_fragment("Q", time_replaced=True, occurred_at="2026-03-02T08:00:00.000Z")
    again = a_fragment("Q", time_replaced=True, occurred_at="2026-03-02T07:00:00.000Z", has_request=True)
    told = a_fragment("m", occurred_at="2026-03-02T09:30:00.000Z")

    orders = [merge("call-1", None, order) for order in itertools.permutations([replaced, again, told])]

    assert all(row == orders[0] for row in orders)
    assert (orders[0]["occurred_at"], orders[0]["time_replaced"]) == ("2026-03-02T09:30:00.000Z", None)


def test_of_times_that_were_replaced_the_earliest_stands_and_the_row_says_what_it_is() -> None:
    late = a_fragment("R", time_replaced=True, occurred_at="2026-03-02T08:00:00.000Z")
    early = a_fragment("m", time_replaced=True, occurred_at="2026-03-02T07:00:00.000Z")

    orders = [merge("call-1", None, order) for order in ([late, early], [early, late])]

    assert orders[0] == orders[1]
    assert (orders[0]["occurred_at"], orders[0]["time_replaced"]) == ("2026-03-02T07:00:00.000Z", True)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        pytest.param(("Q", {"subscription_id": "a"}), ("Q", {"subscription_id": "b"}), True, id="two subscriptions"),
        pytest.param(("Q", {"subscription_id": "a"}), ("G", {"subscription_id": "b"}), True, id="whoever tells"),
        pytest.param(
            ("Q", {"subscription_id": "A"}), ("G", {"subscription_id": "a"}), None, id="case is no difference"
        ),
        pytest.param(("Q", {"subscription_id": "a"}), ("E", {}), None, id="who says nothing contradicts nobody"),
        pytest.param(("Q", {"user_id": "a"}), ("E", {"user_id": "b"}), True, id="two people"),
        pytest.param(
            ("Q", {"user_id": "a"}), ("G", {"user_id": "1"}), None, id="the gateway's own users have other ids"
        ),
        pytest.param(("Q", {"app_id": "a"}), ("Q", {"app_id": "b"}), True, id="two apps"),
        pytest.param(("Q", {"caller_ip": "192.0.2.1"}), ("Q", {"caller_ip": "192.0.2.2"}), True, id="two addresses"),
        pytest.param(("Q", {"caller_ip": "192.0.2.1"}), ("G", {"caller_ip": "10.0.0.1"}), None, id="a proxy between"),
        pytest.param(("G", {"user_id": "a"}), ("D", {"user_id": "b"}), None, id="the service takes the gateway for it"),
    ],
)
def test_two_writers_of_one_id_who_name_different_callers_are_noticed(
    one: tuple[str, dict[str, object]], other: tuple[str, dict[str, object]], differ: object
) -> None:
    fragments = [a_fragment(code, **facts) for code, facts in (one, other)]

    rows = [merge("call-1", None, order) for order in (fragments, fragments[::-1])]
    stored = merge("call-1", merge("call-1", None, fragments[:1]), fragments[1:])

    assert rows[0] == rows[1] == stored
    assert rows[0].get("callers_differ") == differ


@given(
    st.lists(
        st.tuples(
            st.sampled_from("QEGgRutpxD"),
            st.fixed_dictionaries(
                {},
                optional={
                    name: st.sampled_from(("1", "2", "3")) for name in ("subscription_id", "user_id", "caller_ip")
                },
            ),
        ),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_any_two_callers_are_noticed_in_any_order_and_any_batches(
    told: list[tuple[str, dict[str, object]]], dice: random.Random
) -> None:
    fragments = [a_fragment(code, **facts) for code, facts in told]
    comparable = {"subscription_id": "QEGgRutpxD", "user_id": "QE", "caller_ip": "QE"}
    differ = any(
        len({facts[name] for code, facts in told if code in codes and name in facts}) > 1
        for name, codes in comparable.items()
    )

    at_once = merge("call-1", None, fragments)
    dice.shuffle(fragments)
    row = None
    for fragment in [*fragments, *fragments]:
        row = merge("call-1", row, [fragment])

    assert at_once.get("callers_differ", False) == differ
    assert row == at_once
