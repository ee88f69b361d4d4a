"""Calls that are neither chat nor completions nor embeddings: their share is small, their variety is not."""

from typing import Any, Final, NamedTuple

from localhost.traffic import words
from localhost.traffic.calls import Call, Operation
from localhost.traffic.company import Deployment, a_caller
from localhost.traffic.dice import Dice

__all__ = ["an_other_call"]

_REASONING: Final = Deployment("reasoning", "gpt-5-mini-2025-08-07", 6)
_IMAGES: Final = Deployment("images", "gpt-image-1", 0)
_SPEECH: Final = Deployment("speech", "tts-1", 0)
_HEARING: Final = Deployment("hearing", "whisper-1", 0)
_NONE: Final = Deployment("", "", 0)


class _Exchange(NamedTuple):
    operation: Operation
    deployment: Deployment
    request: dict[str, Any]
    response: dict[str, Any]


def an_other_call(dice: Dice, started_at: int) -> Call:
    """Return a new call of one of the rarer operations."""
    operation, deployment, request, response = dice.pick(_KINDS)(dice, started_at // 1000)
    return Call(
        id=dice.guid(),
        started_at=started_at,
        backend_ms=dice.between(80, 4000),
        caller=a_caller(dice),
        deployment=deployment,
        operation=operation,
        request=request,
        response=response,
        service_id=dice.guid(),
    )


def _responses(dice: Dice, now: int) -> _Exchange:
    question, text = words.question(dice), words.answer(dice)
    thought = dice.between(0, 300)
    written = words.tokens(len(text)) + thought
    response = {
        "id": f"resp_{dice.letters(32)}",
        "object": "response",
        "created_at": now,
        "status": "completed",
        "model": _REASONING.model,
        "output": [
            {"type": "reasoning", "id": f"rs_{dice.letters(16)}", "summary": []},
            {
                "type": "message",
                "id": f"msg_{dice.letters(16)}",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": []}],
            },
        ],
        "usage": {
            "input_tokens": words.tokens(len(question)),
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": words.tokens(len(question)) + written,
        },
    }
    operation = Operation("createResponse", "/openai/v1/responses", "response", "Creates a model response.")
    return _Exchange(operation, _REASONING, {"model": "reasoning", "input": question}, response)


def _image(dice: Dice, now: int) -> _Exchange:
    prompt = f"A watercolour of {words.question(dice)}"
    described, drawn = words.tokens(len(prompt)), dice.pick((272, 1056, 4160))
    usage = {"input_tokens": described, "output_tokens": drawn, "total_tokens": described + drawn}
    response = {"created": now, "data": [{"b64_json": "iVBORw0KGgo="}], "usage": usage}
    operation = Operation("ImageGenerations_Create", "images/generations", "", "Generates a batch of images")
    return _Exchange(operation, _IMAGES, {"prompt": prompt, "n": 1, "size": "1024x1024", "quality": "medium"}, response)


def _speech(dice: Dice, _now: int) -> _Exchange:
    operation = Operation("createSpeech", "audio/speech", "", "Generates audio from the input text.")
    request = {"model": "tts-1", "input": words.answer(dice), "voice": "alloy", "response_format": "mp3"}
    return _Exchange(operation, _SPEECH, request, {})


def _transcription(dice: Dice, _now: int) -> _Exchange:
    text = words.answer(dice)
    seconds = dice.between(4, 90)
    operation = Operation("Transcriptions_Create", "audio/transcriptions", "", "Transcribes audio")
    response = {"text": text, "usage": {"type": "duration", "seconds": seconds}}
    return _Exchange(operation, _HEARING, {}, response)


def _thread_message(dice: Dice, now: int) -> _Exchange:
    thread, text = f"thread_{dice.letters(24)}", words.question(dice)
    operation = Operation("createMessage", f"/openai/threads/{thread}/messages", "thread.message", "Create a message.")
    response = {
        "id": f"msg_{dice.letters(24)}",
        "object": "thread.message",
        "created_at": now,
        "thread_id": thread,
        "role": "user",
        "content": [{"type": "text", "text": {"value": text, "annotations": []}}],
    }
    return _Exchange(operation, _NONE, {"role": "user", "content": text}, response)


def _run(dice: Dice, now: int) -> _Exchange:
    thread, assistant = f"thread_{dice.letters(24)}", f"asst_{dice.letters(24)}"
    given, written = dice.between(40, 400), dice.between(10, 300)
    operation = Operation("createRun", f"/openai/threads/{thread}/runs", "thread.run", "Create a run.")
    response = {
        "id": f"run_{dice.letters(24)}",
        "object": "thread.run",
        "created_at": now,
        "thread_id": thread,
        "assistant_id": assistant,
        "status": "completed",
        "model": "gpt-4o",
        "usage": {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written},
    }
    return _Exchange(operation, _NONE, {"assistant_id": assistant}, response)


def _resource(dice: Dice, now: int) -> _Exchange:
    """Return a call that makes something, and speaks of no text."""
    name, path, kind = dice.pick(
        (
            ("createBatch", "batches", "batch"),
            ("createVectorStore", "vector_stores", "vector_store"),
            ("createAssistant", "assistants", "assistant"),
            ("createFineTuningJob", "fine_tuning/jobs", "fine_tuning.job"),
        )
    )
    operation = Operation(name, f"/openai/{path}", kind, name)
    response = {"id": f"{kind[:5]}_{dice.letters(24)}", "object": kind, "created_at": now, "status": "completed"}
    return _Exchange(operation, _NONE, {"model": "gpt-4o"}, response)


_KINDS: Final = (_responses, _responses, _responses, _image, _speech, _transcription, _thread_message, _run, _resource)
