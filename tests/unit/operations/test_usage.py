from typing import Any

import pytest

from shared.operations.usage import usage_facts


@pytest.mark.parametrize(
    ("usage", "facts"),
    [
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 3, "cache_write_tokens": 2},
                "completion_tokens_details": {
                    "reasoning_tokens": 12,
                    "audio_tokens": 4,
                    "rejected_prediction_tokens": 1,
                },
                "latency_checkpoint": {"total_ms": 5},
            },
            {
                "input_tokens": 100,
                "output_tokens": 20,
                "total_tokens": 120,
                "cached_input_tokens": 64,
                "cache_write_tokens": 2,
                "audio_input_tokens": 3,
                "reasoning_tokens": 12,
                "audio_output_tokens": 4,
            },
            id="chat",
        ),
        pytest.param(
            {
                "input_tokens": 50,
                "output_tokens": 4160,
                "total_tokens": 4210,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                "output_tokens_details": {"image_tokens": 4160},
            },
            {
                "input_tokens": 50,
                "output_tokens": 4160,
                "total_tokens": 4210,
                "image_input_tokens": 40,
                "image_output_tokens": 4160,
            },
            id="responses and images",
        ),
        pytest.param(
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_token_details": {"cached_tokens": 0}},
            {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10, "cached_input_tokens": 0},
            id="runs",
        ),
        pytest.param(
            {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "input_token_details": {"audio_tokens": 14}},
            {"input_tokens": 14, "output_tokens": 5, "total_tokens": 19, "audio_input_tokens": 14},
            id="audio in tokens",
        ),
        pytest.param({"type": "duration", "seconds": 7.5}, {"seconds": 7.5}, id="audio in seconds"),
        pytest.param({"prompt_tokens": 5, "total_tokens": 5}, {"input_tokens": 5, "total_tokens": 5}, id="embeddings"),
        pytest.param(
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 161}},
            {"input_tokens": 10, "cached_input_tokens": 161},
            id="more cached than asked",
        ),
        pytest.param(
            {"prompt_tokens": "10", "completion_tokens": "2", "total_tokens": "99"},
            {"input_tokens": 10, "output_tokens": 2, "total_tokens": 99},
            id="digits, and a total of its own",
        ),
        pytest.param(
            {
                "prompt_tokens": 1,
                "prompt_tokens_details": None,
                "completion_tokens_details": {"reasoning_tokens": None},
            },
            {"input_tokens": 1},
            id="null details",
        ),
        pytest.param({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": []}, {}, id="no counts"),
        pytest.param(None, {}, id="null"),
        pytest.param("12", {}, id="no object"),
    ],
)
def test_every_dialect_tells_the_same_counts(usage: Any, facts: dict[str, Any]) -> None:
    assert usage_facts(usage) == facts
