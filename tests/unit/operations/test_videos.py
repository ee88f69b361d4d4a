"""Video jobs: seconds once per job, however often it is polled."""

from typing import Any

import pytest

from shared import operations

JOBS: dict[str, dict[str, Any]] = {
    "the first form": {
        "object": "video.generation.job", "id": "task_1", "status": "succeeded", "n_seconds": 5, "n_variants": 2,
    },
    "the second form": {"object": "video", "id": "video_1", "status": "completed", "seconds": "10", "size": "1280x720"},
}  # fmt: skip


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_that_succeeded_tells_its_seconds_under_its_id(job: dict[str, Any]) -> None:
    facts = operations.read_response(job, operation="videos").facts

    assert (facts["seconds"], facts["usage_key"]) == (10.0, job["id"])


@pytest.mark.parametrize("status", ["queued", "in_progress", "failed", "cancelled"])
def test_a_job_that_did_not_succeed_uses_nothing(status: str) -> None:
    for job in JOBS.values():
        assert "seconds" not in operations.read_response(job | {"status": status}, operation="videos").facts


def test_a_job_that_was_moderated_says_so() -> None:
    job = JOBS["the first form"] | {"status": "failed", "failure_reason": "input_moderation"}

    assert operations.read_response(job, operation="videos").facts["error_code"] == "input_moderation"


@pytest.mark.parametrize("error", ["Moderated.", {"message": "Moderated."}, {"code": "other", "message": "Moderated."}])
def test_the_reason_of_a_job_that_failed_stands_above_its_error_whatever_form_that_has(error: object) -> None:
    job = JOBS["the first form"] | {"status": "failed", "failure_reason": "input_moderation", "error": error}

    facts = operations.read_response(job, operation="videos", status=200).facts

    assert (facts["error_code"], facts["error_message"]) == ("input_moderation", "Moderated.")


def test_the_prompt_of_a_job_is_its_prompt() -> None:
    assert operations.read_request({"prompt": "A river", "seconds": "8"}, "videos").text == "A river"
