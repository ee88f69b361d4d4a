"""Streams of chat completions and completions: every oddity that the service, or another provider on it, shows."""

import json
from typing import Any

import pytest

from shared.domain.secrets import REMOVED
from shared.operations import read_response
from tests.builders.streams import DONE, a_chunk, an_event, stream_of

SAFE = {"filtered": False, "severity": "safe"}
HIGH = {"filtered": True, "severity": "high"}


def message_of(*chunks: Any) -> dict[str, Any]:
    body = read_response(stream_of(*chunks), status=200).body
    message: dict[str, Any] = body["choices"][0]["message"]
    return message


def test_a_stream_is_read_as_the_answer_in_one_piece() -> None:
    said = read_response(
        stream_of(
            {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": SAFE}}],
            },
            a_chunk({"role": "assistant", "content": "", "refusal": None}, choice={"content_filter_results": {}}),
            a_chunk({"content": "Fo"}, choice={"content_filter_results": {"hate": SAFE}}),
            a_chunk({"content": "ur."}, choice={"content_filter_results": {"hate": SAFE}}),
            a_chunk(finish_reason="stop", system_fingerprint="fp_1"),
            a_chunk() | {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12}},
        ),
        status=200,
    )

    assert said.facts == {
        "operation": "chat.completions",
        "streamed": True,
        "model": "gpt-4o-2024-11-20",
        "response_id": "chatcmpl-example",
        "finish_reasons": '["stop"]',
        "tool_calls": 0,
        "completion_preview": "Four.",
        "prompt_filtered": False,
        "completion_filtered": False,
        "filter_categories": json.dumps(
            {"completion": {"hate": SAFE}, "prompt": {"hate": SAFE}}, separators=(",", ":")
        ),
        "input_tokens": 11,
        "output_tokens": 1,
        "total_tokens": 12,
    }
    assert said.text == "Four."
    assert said.body == {
        "id": "chatcmpl-example",
        "object": "chat.completion",
        "created": 1772443799,
        "model": "gpt-4o-2024-11-20",
        "system_fingerprint": "fp_1",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": SAFE}}],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Four."},
                "logprobs": None,
                "content_filter_results": {"hate": SAFE},
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    }


def test_a_stream_without_usage_states_no_tokens() -> None:
    facts = read_response(stream_of(a_chunk({"content": "Hi"}), a_chunk(finish_reason="stop"))).facts

    assert not [name for name in facts if name.endswith("_tokens")]
    assert "truncated" not in facts


def test_a_stream_without_its_end_is_truncated() -> None:
    facts = read_response(stream_of(a_chunk({"content": "Hi"}), done=False)).facts

    assert facts["truncated"] is True
    assert facts["finish_reasons"] == "[null]"


def test_filter_results_after_the_end_merge_into_their_choice() -> None:
    late = {"content_filter_offsets": {"check_offset": 1}, "finish_reason": None, "index": 0}
    results = [{"hate": HIGH | {"severity": "low"}}, {"hate": SAFE, "protected_material_code": {"filtered": False}}]

    said = read_response(
        stream_of(
            a_chunk({"content": "Hi"}),
            a_chunk(finish_reason="stop"),
            *[
                {"choices": [late | {"content_filter_results": one}], "id": "", "model": "", "object": ""}
                for one in results
            ],
        )
    )

    assert said.facts["finish_reasons"] == '["stop"]'
    assert said.facts["completion_filtered"] is True
    assert said.body["choices"][0]["content_filter_results"] == {
        "hate": {"filtered": True, "severity": "low"},
        "protected_material_code": {"filtered": False},
    }


def test_blocklists_of_both_shapes_merge() -> None:
    older = [{"id": "words", "filtered": True}]
    newer = {"filtered": True, "details": [{"id": "words", "filtered": True}]}
    chunks = [
        a_chunk({"content": "a"}, choice={"content_filter_results": {"custom_blocklists": shape}})
        for shape in (older, older, newer)
    ]

    body = read_response(stream_of(*chunks)).body

    assert body["choices"][0]["content_filter_results"] == {"custom_blocklists": older}


def test_prompts_judged_in_chunks_of_their_own_are_all_kept() -> None:
    first, second = ({"prompt_index": n, "content_filter_results": {"hate": one}} for n, one in enumerate((SAFE, HIGH)))

    said = read_response(
        stream_of(*[{"choices": [], "object": "", "prompt_filter_results": [one]} for one in (first, second, second)]),
        operation="chat.completions",
    )

    assert said.body["prompt_filter_results"] == [first, second]
    assert said.facts["prompt_filtered"] is True


def test_tool_calls_join_by_their_index() -> None:
    def piece(index: int, arguments: str, **changes: Any) -> dict[str, Any]:
        function = {"arguments": arguments} | changes.pop("function", {})
        return {"tool_calls": [{"index": index, "function": function} | changes]}

    said = read_response(
        stream_of(
            a_chunk({"role": "assistant", "content": None}),
            a_chunk(piece(0, "", id="call_a", type="function", function={"name": "look"})),
            a_chunk(piece(0, '{"at"')),
            a_chunk(piece(1, "", id="call_b", type="function", function={"name": "go"})),
            a_chunk(piece(1, "{}")),
            a_chunk(piece(0, ":1}")),
            a_chunk(finish_reason="tool_calls"),
        )
    )

    assert said.facts["tool_calls"] == 2
    assert said.text is None
    assert said.body["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"function": {"arguments": '{"at":1}', "name": "look"}, "id": "call_a", "type": "function"},
            {"function": {"arguments": "{}", "name": "go"}, "id": "call_b", "type": "function"},
        ],
    }


@pytest.mark.parametrize("index", [{"index": 0}, {}])
def test_whole_calls_that_share_an_index_are_several(index: dict[str, int]) -> None:
    calls = [
        {"tool_calls": [index | {"id": name, "type": "custom", "custom": {"name": "f", "input": "x"}}]} for name in "ab"
    ]

    assert message_of(*map(a_chunk, calls))["tool_calls"] == [
        {"id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}},
        {"id": "b", "type": "custom", "custom": {"name": "f", "input": "x"}},
    ]


def test_the_form_before_tools_is_one_call() -> None:
    said = read_response(
        stream_of(
            a_chunk({"role": "assistant", "function_call": {"name": "look", "arguments": ""}}),
            a_chunk({"function_call": {"arguments": "{}"}}),
            a_chunk(finish_reason="function_call"),
        )
    )

    assert said.facts["tool_calls"] == 1
    assert said.body["choices"][0]["message"]["function_call"] == {"name": "look", "arguments": "{}"}


def test_interleaved_choices_join_by_their_index() -> None:
    chunks = [a_chunk({"content": text}, index=index) for text, index in (("b1", 1), ("a1", 0), ("b2", 1), ("a2", 0))]

    said = read_response(
        stream_of(*chunks, a_chunk(index=1, finish_reason="length"), a_chunk(index=0, finish_reason="stop"))
    )

    assert said.text == "a1a2"
    assert said.facts["finish_reasons"] == '["stop","length"]'
    assert [choice["message"]["content"] for choice in said.body["choices"]] == ["a1a2", "b1b2"]


def test_several_choices_in_one_chunk_are_told_apart() -> None:
    both = [{"index": index, "delta": {"content": "x"}} for index in (0, 1)]

    body = read_response(stream_of(*[a_chunk() | {"choices": both}] * 3)).body

    assert [choice["message"]["content"] for choice in body["choices"]] == ["xxx", "xxx"]


def test_spoken_answers_keep_what_was_said_and_not_the_sound() -> None:
    said = read_response(
        stream_of(
            a_chunk({"role": "assistant", "audio": {"id": "audio_1", "transcript": "Good "}}),
            a_chunk({"audio": {"data": "UklGRg=="}}),
            {"id": "chatcmpl-example", "object": "chat.completion.chunk", "model": "m", "usage": None},
            a_chunk({"audio": {"transcript": "morning", "expires_at": 5}}),
        )
    )

    assert said.text == "Good morning"
    assert said.body["choices"][0]["message"]["audio"] == {
        "id": "audio_1",
        "transcript": "Good morning",
        "data": REMOVED,
        "expires_at": 5,
    }


def test_a_refusal_is_the_answer() -> None:
    said = read_response(stream_of(a_chunk({"refusal": "I can"}), a_chunk({"refusal": "not."})))

    assert said.text == "I cannot."


def test_reasoning_and_context_and_unknown_members_are_kept() -> None:
    message = message_of(
        a_chunk({"role": "assistant", "context": {"citations": [{"title": "a"}], "intent": "[]"}}),
        a_chunk({"reasoning_content": "So "}),
        a_chunk({"reasoning_content": "be it"}),
        a_chunk({"role": "assistant", "content": "Yes", "annotations": [1]}),
        a_chunk({"annotations": [2], "context": {"more": 1}}),
    )

    assert message == {
        "role": "assistant",
        "content": "Yes",
        "reasoning_content": "So be it",
        "context": {"citations": [{"title": "a"}], "intent": "[]", "more": 1},
        "annotations": [1, 2],
    }


def test_the_first_on_your_data_form_tells_citations_and_answer_apart() -> None:
    def messages(index: int, **delta: str) -> dict[str, Any]:
        choice = {"index": 0, "messages": [{"index": index, "delta": delta, "end_turn": False}], "finish_reason": None}
        return {"id": "x", "object": "extensions.chat.completion.chunk", "choices": [choice]}

    said = read_response(
        stream_of(
            messages(0, role="tool", content='{"citations":[]}'),
            messages(1, role="assistant"),
            messages(1, content="It is "),
            messages(1, content="so."),
        ),
        operation="chat.completions",
    )

    assert said.text == "It is so."
    assert said.body["choices"][0]["message"]["context"] == {
        "messages": [{"role": "tool", "content": '{"citations":[]}'}]
    }


def test_log_probabilities_of_all_chunks_stand_together() -> None:
    def likely(token: str) -> dict[str, Any]:
        return {"content": [{"token": token, "logprob": -1}], "refusal": None}

    body = read_response(
        stream_of(*[a_chunk({"content": token}, choice={"logprobs": likely(token)}) for token in "aab"])
    ).body

    assert [one["token"] for one in body["choices"][0]["logprobs"]["content"]] == ["a", "a", "b"]


def test_chunks_that_repeat_all_but_their_text_and_padding_lose_nothing() -> None:
    texts = [
        "plain",
        'quo"ted',
        "back\\slash",
        "line\nend",
        "ü😀",
        "",
        '"obfuscation":"x"',
        '","index":7,"x":"',
        "\u2028",
    ]
    chunks = [a_chunk({"content": text}, obfuscation="aB3"[: n % 4]) for n, text in enumerate(texts * 3)]

    for ensure_ascii in (True, False):
        lines = [json.dumps(chunk, separators=(",", ":"), ensure_ascii=ensure_ascii) for chunk in chunks]
        said = read_response("".join(f"data: {line}\n\n" for line in lines) + DONE)

        assert said.text == "".join(texts * 3)
        assert len(said.body["choices"]) == 1


def test_a_chunk_that_changes_anything_beside_its_text_is_read_whole() -> None:
    said = read_response(
        stream_of(
            a_chunk({"content": "a"}),
            a_chunk({"content": "b"}),
            a_chunk({"content": "c"}, choice={"content_filter_results": {"hate": HIGH}}),
            a_chunk({"content": "d"}, usage={"prompt_tokens": 1, "completion_tokens": 2}),
            a_chunk({"content": "e"}, index=1),
            a_chunk({"content": "f"}, finish_reason="stop"),
        )
    )

    assert said.text == "abcdf"
    assert said.facts["completion_filtered"] is True
    assert (said.facts["total_tokens"], said.facts["finish_reasons"]) == (3, '["stop",null]')


def test_the_last_of_several_usages_counts() -> None:
    chunks = [
        a_chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n})
        for n in (1, 2, 3)
    ]

    assert read_response(stream_of(*chunks)).facts["output_tokens"] == 3


def test_completions_join_the_texts_of_each_prompt() -> None:
    def chunk(text: str, index: int, reason: str | None = None) -> dict[str, Any]:
        choice = {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
        return {"id": "cmpl-1", "object": "text_completion", "created": 5, "choices": [choice], "model": "ada"}

    chunks = [
        chunk("b", 1),
        chunk("On", 0),
        chunk("ce", 0),
        chunk(" upon", 0),
        chunk("", 0, "length"),
        chunk("", 1, "stop"),
    ]

    said = read_response(stream_of(*chunks))

    assert said.facts["operation"] == "completions"
    assert said.facts["finish_reasons"] == '["length","stop"]'
    assert said.text == "Once upon"
    assert said.body["object"] == "text_completion"
    assert [choice["text"] for choice in said.body["choices"]] == ["Once upon", "b"]


@pytest.mark.parametrize("operation", ["completions", "chat.completions"])
def test_a_stream_cut_after_the_filters_first_chunk_belongs_to_its_path(operation: str) -> None:
    first = {"choices": [], "object": "", "prompt_filter_results": [{"content_filter_results": {"hate": SAFE}}]}

    facts = read_response(stream_of(first, done=False), operation=operation).facts

    assert facts["operation"] == operation
    assert facts["prompt_filtered"] is False
    assert facts["truncated"] is True


@pytest.mark.parametrize(
    "event",
    [
        an_event({"error": {"code": "429", "message": "Slow down."}}),
        an_event({"code": "429", "message": "Slow down."}, "error"),
        an_event({"type": "error", "code": "429", "message": "Slow down."}),
        an_event({"type": "429", "code": None, "message": "Slow down."}, "error"),
        an_event({"type": "error", "error": {"type": "x", "code": "429", "message": "Slow down."}}),
    ],
)
def test_an_error_in_a_stream_is_the_calls_error(event: str) -> None:
    for before in ("", an_event(a_chunk({"content": "Hi"}))):
        facts = read_response(before + event, status=200).facts

        assert (facts["error_code"], facts["error_message"]) == ("429", "Slow down.")
        assert facts["streamed"] is True
        assert "truncated" not in facts


def test_an_answer_sent_in_one_event_is_read_as_it_is() -> None:
    answer = {
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }

    said = read_response(stream_of(answer))

    assert said.text == "Hi"
    assert said.facts["total_tokens"] == 2
