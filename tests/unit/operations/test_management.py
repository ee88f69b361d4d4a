"""Files, vector stores, batches, fine-tuning, realtime, conversations, moderations: what is not inference."""

import json
from typing import Any

import pytest

from shared.operations import read_request, read_response

USAGE = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}


def test_a_batch_tells_the_usage_of_its_calls_once_it_is_done_and_always_its_key() -> None:
    batch = {"id": "batch_1", "object": "batch", "status": "completed", "model": None}

    older, newer = read_response(batch).facts, read_response(batch | {"usage": USAGE}).facts

    assert older == {"operation": "batches", "response_id": "batch_1", "usage_key": "batch_1"}
    assert newer == older | USAGE
    assert read_response({"object": "list", "data": [batch | {"usage": USAGE}]}).facts == {"operation": "batches"}


def test_a_batch_that_was_not_accepted_tells_why() -> None:
    errors = {"object": "list", "data": [{"code": "invalid_json_line", "message": "Line 3.", "line": 3}]}

    facts = read_response({"object": "batch", "id": "batch_1", "status": "failed", "errors": errors}).facts

    assert (facts["error_code"], facts["error_message"]) == ("invalid_json_line", "Line 3.")


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"object": "file", "id": "file-1", "bytes": 5}, "files"),
        ({"object": "upload.part", "id": "part_1"}, "uploads"),
        ({"object": "vector_store.search_results.page", "data": [{"content": [{"text": "x"}]}]}, "vector_stores"),
        ({"object": "fine_tuning.job", "id": "ftjob-1", "error": {}, "trained_tokens": 5}, "fine_tuning.jobs"),
        ({"object": "list", "data": [{"object": "checkpoint.permission"}]}, "fine_tuning.jobs"),
        ({"object": "model", "id": "gpt-4o"}, "models"),
        ({"object": "list", "data": [{"object": "deployment", "model": "curie"}]}, "deployments"),
        ({"object": "container.file", "id": "cfile_1"}, "containers"),
        ({"object": "eval.run", "id": "evalrun_1", "per_model_usage": [{"total_tokens": 5}]}, "evals"),
        ({"object": "conversation", "id": "conv_1"}, "conversations"),
        ({"object": "realtime.transcription_session", "id": "sess_1"}, "realtime"),
    ],
)
def test_management_uses_no_tokens_and_says_nothing(body: dict[str, Any], operation: str) -> None:
    said = read_response(body, status=200)

    assert said.text is None
    assert said.facts.keys() <= {"operation", "response_id", "model"}
    assert said.facts["operation"] == operation


@pytest.mark.parametrize("operation", ["files", "containers"])
def test_a_downloaded_file_is_not_read_as_the_answer_that_it_may_hold(operation: str) -> None:
    body = {"object": "chat.completion", "choices": [{"message": {"content": "Hi"}}], "usage": USAGE}

    said = read_response(body, operation=operation, status=200)

    assert said.text is None
    assert said.facts == {"operation": operation}


def test_a_search_in_a_vector_store_is_asked_by_someone() -> None:
    assert read_request({"query": ["cake", "pie"], "max_num_results": 3}, "vector_stores").text == "cake\npie"


def test_the_parameters_of_a_job_are_kept() -> None:
    body = {
        "model": "gpt-4o",
        "training_file": "file-1",
        "hyperparameters": {"n_epochs": "auto", "batch_size": 2},
        "method": {"type": "supervised", "supervised": {}},
    }

    assert json.loads(read_request(body, "fine_tuning.jobs").facts["parameters"]) == {
        "training_file": "file-1",
        "hyperparameters": {"n_epochs": "auto", "batch_size": 2},
        "method": "supervised",
    }


def test_a_realtime_session_names_its_model_and_never_its_instructions() -> None:
    session = {"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief.", "output_modalities": ["audio"]}
    answer = {
        "value": "[removed]",
        "expires_at": 5,
        "session": session | {"object": "realtime.session", "id": "sess_1"},
    }

    asked, answered = read_request({"session": session}, "realtime"), read_response(answer, status=200)

    assert asked.facts["requested_model"] == answered.facts["model"] == "gpt-realtime"
    assert asked.text is answered.text is None
    assert "brief" not in asked.facts["parameters"]
    assert (answered.facts["operation"], answered.facts["response_id"]) == ("realtime", "sess_1")


def test_the_items_that_a_conversation_is_given_are_the_prompt() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"role": "assistant", "content": "Ho"},
    ]

    assert read_request({"items": items}, "conversations").text == "Hi\nHo"
    listed = {"object": "list", "data": [{"type": "message", "role": "assistant", "content": "Ho"}]}
    assert read_response(listed, operation="conversations").text is None


@pytest.mark.parametrize(
    ("given", "text"),
    [("One", "One"), (["One", "Two"], "One\nTwo"), ([{"type": "text", "text": "One"}, {"type": "image_url"}], "One")],
)
def test_a_moderations_prompt_is_what_is_judged(given: Any, text: str) -> None:
    assert read_request({"input": given}, "moderations").text == text


def test_a_moderation_tells_what_it_found_and_that_it_filtered_nothing() -> None:
    results = [
        {"flagged": True, "categories": {"violence": True, "hate": False}},
        {"flagged": True, "categories": {"self-harm/intent": True, "violence": False}},
    ]

    facts = read_response({"id": "modr-1", "model": "omni-moderation-latest", "results": results}).facts

    assert facts["operation"] == "moderations"
    assert json.loads(facts["filter_categories"]) == {
        "prompt": {"violence": {"detected": True}, "self-harm/intent": {"detected": True}}
    }
    assert "prompt_filtered" not in facts
