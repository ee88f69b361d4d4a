"""One call of every operation, small: what docs/coverage.md is measured with."""

from typing import Any, NamedTuple

__all__ = ["SAMPLES", "Sample"]


class Sample(NamedTuple):
    """A call: how it is named and what its bodies say."""

    path: str
    operation_id: str
    request: Any
    response: Any


_CHAT_USAGE = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13}
_USAGE = {"input_tokens": 11, "output_tokens": 2, "total_tokens": 13}
_MESSAGE = {"role": "user", "content": "What is two and two?"}
_SAID = {"role": "assistant", "content": "Four."}
_TEXT = [{"type": "text", "text": {"value": "Four.", "annotations": []}}]
_VECTORS = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
_OUTPUT = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Four."}]}]

SAMPLES: dict[str, Sample] = {
    "chat.completions": Sample(
        "/openai/deployments/d/chat/completions",
        "ChatCompletions_Create",
        {"messages": [_MESSAGE], "temperature": 0},
        {"object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": _SAID}], "usage": _CHAT_USAGE},
    ),
    "completions": Sample(
        "/openai/deployments/d/completions",
        "Completions_Create",
        {"prompt": "What is two and two?", "max_tokens": 9},
        {"object": "text_completion", "model": "m", "choices": [{"index": 0, "text": "Four."}], "usage": _CHAT_USAGE},
    ),
    "embeddings": Sample(
        "/openai/deployments/d/embeddings",
        "embeddings_create",
        {"input": "What is two and two?", "dimensions": 8},
        {"object": "list", "data": _VECTORS, "usage": {"prompt_tokens": 11, "total_tokens": 11}},
    ),
    "responses": Sample(
        "/openai/v1/responses",
        "createResponse",
        {"model": "m", "input": "What is two and two?", "max_output_tokens": 9},
        {"id": "resp_1", "object": "response", "status": "completed", "output": _OUTPUT, "usage": _USAGE},
    ),
    "images.generations": Sample(
        "/openai/deployments/d/images/generations",
        "ImageGenerations_Create",
        {"prompt": "A four", "size": "1024x1024"},
        {"created": 1, "data": [{"b64_json": "", "revised_prompt": "A golden four"}], "usage": _USAGE},
    ),
    "images.edits": Sample(
        "/openai/deployments/d/images/edits",
        "createImageEdit",
        {"prompt": "Make it a five", "size": "1024x1024"},
        {"created": 1, "data": [{"b64_json": ""}], "usage": _USAGE},
    ),
    "images.variations": Sample(
        "/openai/v1/images/variations", "createImageVariation", {"n": 1}, {"created": 1, "data": [{"b64_json": ""}]}
    ),
    "audio.transcriptions": Sample(
        "/openai/deployments/d/audio/transcriptions",
        "Transcriptions_Create",
        {"model": "m", "language": "en", "prompt": "Numbers"},
        {"text": "Four.", "usage": {"type": "duration", "seconds": 2}},
    ),
    "audio.translations": Sample(
        "/openai/deployments/d/audio/translations",
        "Translations_Create",
        {"model": "m", "prompt": "Numbers"},
        {"text": "Four.", "duration": 2.0, "language": "english", "task": "translate"},
    ),
    "audio.speech": Sample(
        "/openai/deployments/d/audio/speech", "createSpeech", {"model": "m", "input": "Four.", "voice": "alloy"}, None
    ),
    "assistants": Sample(
        "/openai/assistants",
        "createAssistant",
        {"model": "m", "name": "Adder", "temperature": 1},
        {"id": "asst_1", "object": "assistant", "model": "m"},
    ),
    "threads": Sample(
        "/openai/threads", "createThread", {"messages": [_MESSAGE]}, {"id": "thread_1", "object": "thread"}
    ),
    "threads.messages": Sample(
        "/openai/threads/thread_1/messages",
        "createMessage",
        _MESSAGE,
        {"id": "msg_1", "object": "thread.message", "role": "assistant", "content": _TEXT},
    ),
    "threads.runs": Sample(
        "/openai/threads/thread_1/runs",
        "createRun",
        {"assistant_id": "asst_1", "additional_messages": [_MESSAGE], "temperature": 1},
        {"id": "run_1", "object": "thread.run", "status": "completed", "model": "m", "usage": _CHAT_USAGE},
    ),
    "threads.runs.steps": Sample(
        "/openai/threads/thread_1/runs/run_1/steps/step_1",
        "getRunStep",
        None,
        {"id": "step_1", "object": "thread.run.step", "type": "message_creation", "usage": _CHAT_USAGE},
    ),
    "files": Sample(
        "/openai/files", "uploadFile", {"purpose": "assistants"}, {"id": "file-1", "object": "file", "bytes": 9}
    ),
    "uploads": Sample("/openai/v1/uploads", "createUpload", {"bytes": 9}, {"id": "upload_1", "object": "upload"}),
    "vector_stores": Sample(
        "/openai/vector_stores", "createVectorStore", {"name": "v"}, {"id": "vs_1", "object": "vector_store"}
    ),
    "fine_tuning.jobs": Sample(
        "/openai/fine_tuning/jobs",
        "FineTuning_Create",
        {"model": "m", "training_file": "file-1"},
        {"id": "ftjob-1", "object": "fine_tuning.job", "status": "queued", "model": "m"},
    ),
    "batches": Sample(
        "/openai/batches",
        "createBatch",
        {"input_file_id": "file-1", "endpoint": "/chat/completions"},
        {"id": "batch_1", "object": "batch", "status": "completed", "usage": _USAGE},
    ),
    "models": Sample("/openai/models", "Models_List", None, {"object": "list", "data": [{"object": "model"}]}),
    "deployments": Sample(
        "/openai/deployments", "Deployments_Create", {"model": "m"}, {"id": "d", "object": "deployment", "model": "m"}
    ),
    "realtime": Sample(
        "/openai/v1/realtime/client_secrets",
        "createRealtimeClientSecret",
        {"session": {"type": "realtime", "model": "m", "instructions": "Add."}},
        {"value": "x", "expires_at": 1, "session": {"type": "realtime", "model": "m"}},
    ),
    "containers": Sample(
        "/openai/v1/containers", "createContainer", {"name": "c"}, {"id": "cntr_1", "object": "container"}
    ),
    "evals": Sample("/openai/v1/evals", "createEval", {"name": "e"}, {"id": "eval_1", "object": "eval"}),
    "conversations": Sample(
        "/openai/v1/conversations",
        "createConversation",
        {"items": [{"type": "message", **_MESSAGE}]},
        {"id": "conv_1", "object": "conversation"},
    ),
    "moderations": Sample(
        "/openai/v1/moderations",
        "createModeration",
        {"model": "m", "input": "What is two and two?"},
        {"id": "modr-1", "model": "m", "results": [{"flagged": False, "categories": {}, "category_scores": {}}]},
    ),
    "messages": Sample(
        "/anthropic/v1/messages",
        "wildcard-post",
        {"model": "m", "max_tokens": 9, "messages": [_MESSAGE]},
        {
            "id": "msg_1",
            "type": "message",
            "model": "m",
            "content": [{"type": "text", "text": "Four."}],
            "usage": {"input_tokens": 11, "output_tokens": 2},
        },
    ),
    "generateContent": Sample(
        "/v1beta/models/m:generateContent",
        "wildcard-post",
        {"contents": [{"parts": [{"text": "What is two and two?"}]}], "generationConfig": {"temperature": 0}},
        {
            "candidates": [{"content": {"parts": [{"text": "Four."}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 2, "totalTokenCount": 13},
        },
    ),
    "converse": Sample(
        "/model/m/converse",
        "wildcard-post",
        {
            "messages": [{"role": "user", "content": [{"text": "What is two and two?"}]}],
            "inferenceConfig": {"temperature": 0},
        },
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Four."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 11, "outputTokens": 2, "totalTokens": 13},
        },
    ),
    "invoke": Sample(
        "/model/m/invoke",
        "wildcard-post",
        {"prompt": "What is two and two?", "max_gen_len": 9, "temperature": 0},
        {"generation": "Four.", "stop_reason": "stop", "prompt_token_count": 11, "generation_token_count": 2},
    ),
    "videos": Sample(
        "/openai/v1/videos",
        "createVideo",
        {"model": "m", "prompt": "A four", "seconds": "4", "size": "1280x720"},
        {"id": "video_1", "object": "video", "status": "completed", "model": "m", "seconds": "4", "size": "1280x720"},
    ),
    "other": Sample("/openai/v1/something", "somethingElse", {"input": "What is two and two?"}, {"id": "x_1"}),
}
"""Operation -> call."""
