"""Calls of each kind that the ledger joins or counts once: what the ledger and Data Explorer are both held to."""

import json
from typing import Any, NamedTuple

from tests.builders import events
from tests.builders.azure_monitor import (
    a_gateway_log,
    a_model_log,
    a_request_response,
    a_request_usage,
    an_envelope,
    in_parts,
    model_rows,
)
from tests.builders.other_events import a_toolkit_record
from tests.builders.streams import DONE, a_chunk, an_event, stream_of

__all__ = ["HISTORIES", "LEDGER_ALONE", "History"]

DAY, NEXT_DAY = "2026-03-02", "2026-03-03"
_HOST = "https://aoai-example.openai.azure.com"


class History(NamedTuple):
    """Events that tell some calls, all of one caller, whom no other history has."""

    caller: str
    bodies: list[bytes]
    requests: int
    """Calls that they tell of."""
    tokens: int
    """In all, however often they are calls."""


class _Calls:
    """Tells calls of one caller, under ids that no other history has."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.caller = f"198.51.100.{number}"
        self.bodies: list[bytes] = []
        self._calls = 0

    def id_of(self, kind: str) -> str:
        """Return an id of the service's, the same for the same kind."""
        return f"{kind}_{self.caller.rsplit('.', 1)[1]}"

    def service_id(self, number: int = 0) -> str:
        """Return a request id of Azure OpenAI's."""
        return f"aaaaaaaa-0000-4000-8000-{int(self.caller.rsplit('.', 1)[1]):08d}{number:04d}"

    def call(self, url: str, answer: Any, *, method: str = "GET", at: str | None = None, **changes: Any) -> str:
        """Tell of a call, an hour after the one before unless `at` says when; return its id."""
        at = at or f"{DAY}T{self._calls + 6:02d}:00"
        name = f"{self.name.replace(' ', '-')}-{self._calls}"
        self._calls += 1
        request = {"method": method, "url": url, "deployment": None, "operationId": None, "body": None}
        self.bodies.append(events.a_request(name, time=f"{at}:00.000Z", callerIp=self.caller, **request))
        response = {"backendUrl": f"{_HOST}{url}", "body": answer, "time": f"{at}:00.750Z"} | changes
        self.bodies.append(events.a_response(name, **response))
        return name

    def post(self, url: str, answer: Any, **changes: Any) -> str:
        return self.call(url, answer, method="POST", **changes)


_CHAT = "/openai/deployments/chat/chat/completions"
_RESPONSES = "/openai/v1/responses"
_RUNS = "/openai/threads/thread_1/runs"
_BATCHES = "/openai/v1/batches"


def _used(total: int, *, asked: str = "prompt", answered: str = "completion") -> dict[str, int]:
    return {f"{asked}_tokens": total - total // 5, f"{answered}_tokens": total // 5, "total_tokens": total}


def _response(calls: _Calls, status: str = "completed", total: int | None = None, kind: str = "resp") -> dict[str, Any]:
    usage = None if total is None else _used(total, asked="input", answered="output")
    model: dict[str, Any] = {"model": "gpt-5", "output": [], "error": None}
    return {"id": calls.id_of(kind), "object": "response", "status": status, **model, "usage": usage}


def _run(calls: _Calls, status: str = "completed", total: int | None = None) -> dict[str, Any]:
    usage = None if total is None else _used(total)
    return {"id": calls.id_of("run"), "object": "thread.run", "status": status, "model": "gpt-4o", "usage": usage}


def _step(calls: _Calls, total: int) -> dict[str, Any]:
    step = {"id": calls.id_of("step"), "object": "thread.run.step", "run_id": calls.id_of("run")}
    return step | {"status": "completed", "usage": _used(total)}


def _batch(calls: _Calls, total: int | None, kind: str = "batch") -> dict[str, Any]:
    usage = None if total is None else _used(total, asked="input", answered="output")
    status = "in_progress" if total is None else "completed"
    return {"id": calls.id_of(kind), "object": "batch", "status": status, "model": "gpt-4o", "usage": usage}


def _list(*items: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(items), "has_more": False}


def _completion(calls: _Calls, total: int = 12, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}]
    answer = {"id": calls.id_of("chatcmpl"), "object": "chat.completion", "model": "gpt-4o", "choices": choices}
    return answer | {"usage": _used(total)} | more


# Usage that is told again


def _a_background_response_is_polled(calls: _Calls) -> tuple[int, int]:
    url = f"{_RESPONSES}/{calls.id_of('resp')}"
    calls.post(_RESPONSES, _response(calls, "queued"))
    calls.call(url, _response(calls, "in_progress", 0))
    calls.call(url, _response(calls, "completed", 30))
    calls.call(url, _response(calls, "completed", 30))
    return 4, 30


def _a_response_grows_from_poll_to_poll(calls: _Calls) -> tuple[int, int]:
    for total in (5, 1000, 999):
        calls.call(f"{_RESPONSES}/{calls.id_of('resp')}", _response(calls, "in_progress", total))
    return 3, 1000


def _a_response_is_cancelled_and_its_items_are_read(calls: _Calls) -> tuple[int, int]:
    url = f"{_RESPONSES}/{calls.id_of('resp')}"
    calls.post(_RESPONSES, _response(calls, "completed", 30))
    calls.post(f"{url}/cancel", _response(calls, "completed", 30))
    calls.call(f"{url}/input_items", _list({"type": "message", "id": "msg_1"}))
    calls.post(_RESPONSES, _response(calls, "completed", 30, "other"))
    return 4, 60


def _a_response_that_was_streamed_is_read_again(calls: _Calls) -> tuple[int, int]:
    whole = _response(calls, "completed", 30)
    stream = "".join(
        an_event({"type": f"response.{name}", "response": body}, f"response.{name}")
        for name, body in (("created", _response(calls, "in_progress")), ("completed", whole))
    )
    calls.post(_RESPONSES, stream, streamed=True, contentType="text/event-stream")
    calls.call(f"{_RESPONSES}/{calls.id_of('resp')}", whole)
    return 2, 30


def _a_run_is_polled(calls: _Calls) -> tuple[int, int]:
    calls.post(_RUNS, _run(calls, "queued"))
    for status, total in (("in_progress", None), ("completed", 100), ("completed", 100)):
        calls.call(f"{_RUNS}/{calls.id_of('run')}", _run(calls, status, total))
    return 4, 100


def _a_run_is_read_beside_its_step(calls: _Calls) -> tuple[int, int]:
    calls.call(f"{_RUNS}/{calls.id_of('run')}/steps/{calls.id_of('step')}", _step(calls, 40))
    calls.call(f"{_RUNS}/{calls.id_of('run')}", _run(calls, "completed", 100))
    calls.call(f"{_RUNS}/{calls.id_of('run')}/steps", _list(_step(calls, 40)))
    calls.call(_RUNS, _list(_run(calls, "completed", 100)))
    return 4, 100


def _a_run_is_streamed_and_read_again(calls: _Calls) -> tuple[int, int]:
    stream = "".join(
        an_event(event, name)
        for event, name in (
            ({"id": "thread_1", "object": "thread"}, "thread.created"),
            (_run(calls, "queued"), "thread.run.created"),
            (_step(calls, 40), "thread.run.step.completed"),
            (_run(calls, "completed", 100), "thread.run.completed"),
        )
    )
    calls.post("/openai/threads/runs", f"{stream}event: done\n{DONE}", streamed=True, contentType="text/event-stream")
    calls.call(f"{_RUNS}/{calls.id_of('run')}", _run(calls, "completed", 100))
    return 2, 100


def _a_batch_is_polled(calls: _Calls) -> tuple[int, int]:
    calls.post(_BATCHES, _batch(calls, None))
    for total in (None, 500, 500):
        calls.call(f"{_BATCHES}/{calls.id_of('batch')}", _batch(calls, total))
    return 4, 500


def _batches_are_listed(calls: _Calls) -> tuple[int, int]:
    calls.call(_BATCHES, _list(_batch(calls, 500), _batch(calls, 700, "other")))
    return 1, 0


def _a_list_that_is_cut_off_counts_nothing(calls: _Calls) -> tuple[int, int]:
    calls.call(_BATCHES, json.dumps(_list(_batch(calls, 500), _batch(calls, 700, "other")))[:-60])
    return 1, 0


def _a_list_comes_in_parts(calls: _Calls) -> tuple[int, int]:
    name = calls.call(_BATCHES, None)
    calls.bodies.pop()
    calls.bodies += [
        _changed(part, backendUrl=f"{_HOST}{_BATCHES}", time=f"{DAY}T06:00:00.750Z")
        for part in in_parts(name, _list(_batch(calls, 500), _batch(calls, 700, "other")), 3, part="response")
    ]
    return 1, 0


def _a_stored_completion_is_read_back(calls: _Calls) -> tuple[int, int]:
    stored = _completion(calls, input_user=None, metadata={})
    calls.post(_CHAT, _completion(calls))
    calls.call(f"/openai/v1/chat/completions/{calls.id_of('chatcmpl')}", stored)
    calls.call("/openai/v1/chat/completions", _list(stored))
    return 3, 12


def _a_cache_answers(calls: _Calls) -> tuple[int, int]:
    unasked: dict[str, Any] = dict.fromkeys(("backendId", "backendUrl", "attempts"))
    calls.post(_CHAT, _completion(calls))
    calls.post(_CHAT, _completion(calls), **unasked)
    return 2, 12


def _a_cache_answers_with_the_largest_account(calls: _Calls) -> tuple[int, int]:
    unasked: dict[str, Any] = dict.fromkeys(("backendId", "backendUrl", "attempts"))
    url = f"{_RESPONSES}/{calls.id_of('resp')}"
    calls.call(url, _response(calls, "in_progress", 20))
    calls.call(url, _response(calls, "completed", 30), **unasked)
    return 2, 20


def _the_best_account_lies_on_the_next_day(calls: _Calls) -> tuple[int, int]:
    url = f"{_RESPONSES}/{calls.id_of('resp')}"
    calls.call(url, _response(calls, "in_progress", 20), at=f"{DAY}T23:50")
    calls.call(url, _response(calls, "completed", 30), at=f"{NEXT_DAY}T00:10")
    return 2, 30


def _the_same_account_is_read_on_the_next_day(calls: _Calls) -> tuple[int, int]:
    url = f"{_RUNS}/{calls.id_of('run')}"
    calls.call(url, _run(calls, "completed", 30), at=f"{DAY}T23:50")
    calls.call(url, _run(calls, "completed", 30), at=f"{NEXT_DAY}T00:10")
    return 2, 30


# One call, told several times


def _an_answer_comes_before_its_request(calls: _Calls) -> tuple[int, int]:
    calls.post(_CHAT, _completion(calls))
    calls.bodies.reverse()
    return 1, 12


def _a_request_comes_in_parts(calls: _Calls) -> tuple[int, int]:
    name = calls.post(_CHAT, _completion(calls))
    whole = {"messages": [{"role": "user", "content": "Who? " * 40}]}
    changes = {"url": _CHAT, "callerIp": calls.caller, "time": f"{DAY}T06:00:00.000Z"}
    calls.bodies[:1] = [_changed(part, **changes) for part in in_parts(name, whole, 3)]
    return 1, 12


def _an_answer_comes_in_parts(calls: _Calls) -> tuple[int, int]:
    name = calls.post(_CHAT, None)
    calls.bodies.pop()
    whole = stream_of(
        *(a_chunk({"content": "a word " * 9}) for _ in range(9)),
        a_chunk({}, finish_reason="stop"),
        {"id": "chatcmpl-x", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [], "usage": _used(12)},
    )
    changes = {"backendUrl": f"{_HOST}{_CHAT}", "time": f"{DAY}T06:00:00.750Z", "streamed": True}
    parts = in_parts(name, whole, 3, part="response")
    calls.bodies += [_changed(part, contentType="text/event-stream", **changes) for part in parts]
    return 1, 12


def _the_gateway_logs_what_the_policy_tells(calls: _Calls) -> tuple[int, int]:
    name = calls.post(_CHAT, _completion(calls))
    calls.bodies.append(an_envelope(a_gateway_log(name, callerIpAddress=calls.caller)))
    return 1, 12


def _the_gateway_and_the_model_log_tell_one_call(calls: _Calls) -> tuple[int, int]:
    name = calls.id_of("logged")
    asked, answered = '[{"role":"user","content":"Who is it?"}]', '[{"role":"assistant","content":"Nobody."}]'
    silent = {"backendRequestBody": "", "backendResponseBody": ""}
    calls.bodies += [
        an_envelope(*model_rows(name, asked=asked, answered=answered, size=20)),
        an_envelope(a_gateway_log(name, silent, callerIpAddress=calls.caller)),
    ]
    return 1, 150


def _the_model_log_knows_a_streams_usage(calls: _Calls) -> tuple[int, int]:
    name = calls.post(_CHAT, stream_of(a_chunk({"content": "Hi"}), a_chunk({}, finish_reason="stop")), streamed=True)
    calls.bodies.append(an_envelope(a_model_log(name)))
    return 1, 150


def _azure_openai_logs_the_call_under_its_own_id(calls: _Calls) -> tuple[int, int]:
    stream = stream_of(a_chunk({"content": "Hi"}), a_chunk({}, finish_reason="stop"))
    calls.post(_CHAT, stream, streamed=True, headers={"apim-request-id": calls.service_id().upper()})
    calls.bodies.append(an_envelope(a_request_response(calls.service_id()), a_request_usage(calls.service_id())))
    return 1, 13


def _two_calls_claim_one_record_of_azure_openai(calls: _Calls) -> tuple[int, int]:
    """The earlier has it, whichever id is the smaller."""
    stream = stream_of(a_chunk({"content": "Hi"}), a_chunk({}, finish_reason="stop"))
    headers = {"apim-request-id": calls.service_id()}
    calls.post(_CHAT, _completion(calls), at=f"{DAY}T10:00", headers=headers)
    calls.post(_CHAT, stream, at=f"{DAY}T08:00", streamed=True, headers=headers)
    calls.bodies.append(an_envelope(a_request_response(calls.service_id()), a_request_usage(calls.service_id())))
    return 2, 25


def _every_witness_tells_one_call(calls: _Calls) -> tuple[int, int]:
    headers = {"apim-request-id": calls.service_id()}
    name = calls.post(_CHAT, _completion(calls), headers=headers)
    gateway = a_gateway_log(name, {"responseHeaders": headers}, callerIpAddress=calls.caller)
    calls.bodies += [
        an_envelope(gateway, a_model_log(name)),
        an_envelope(a_request_response(calls.service_id()), a_request_usage(calls.service_id())),
        events.a_usage_record(calls.id_of("chatcmpl"), RequestIp=calls.caller),
    ]
    return 1, 12


def _a_poll_is_told_by_two_witnesses(calls: _Calls) -> tuple[int, int]:
    url = f"{_RESPONSES}/{calls.id_of('resp')}"
    for total in (20, 30):
        name = calls.call(url, _response(calls, "in_progress", total))
        logged = {"url": f"https://gw.example.org{url}", "backendUrl": f"{_HOST}{url}", "method": "GET"}
        logged |= {"backendRequestBody": "", "backendResponseBody": json.dumps(_response(calls, "in_progress", total))}
        calls.bodies.append(an_envelope(a_gateway_log(name, logged, callerIpAddress=calls.caller)))
    return 2, 30


def _two_words_of_one_witness(calls: _Calls) -> tuple[int, int]:
    """Of two answers to one call the larger number counts."""
    name = calls.post(_CHAT, _completion(calls, 40))
    calls.bodies.append(_changed(calls.bodies[-1], body=_completion(calls, 12)))
    calls.bodies.append(_changed(calls.bodies[-1], interactionId=name, body=_completion(calls, 35)))
    return 1, 40


# What only the ledger reads


def _the_results_of_anthropic_s_batch_are_fetched_twice(calls: _Calls) -> tuple[int, int]:
    usage = {"input_tokens": 8, "output_tokens": 2}
    message = {"type": "message", "role": "assistant", "model": "claude-x", "content": [], "usage": usage}
    lines = [
        {"custom_id": name, "result": {"type": "succeeded", "message": {"id": calls.id_of(name), **message}}}
        for name in ("one", "two")
    ]
    for _ in range(2):
        text = "\n".join(map(json.dumps, lines))
        calls.call("/anthropic/v1/messages/batches/b/results", text, contentType="application/x-jsonl")
    return 2, 20


def _gemini_s_interaction_is_polled(calls: _Calls) -> tuple[int, int]:
    usage = {"total_input_tokens": 11, "total_output_tokens": 2, "total_tokens": 13}
    body = {"id": calls.id_of("interaction"), "object": "interaction", "status": "completed", "steps": []}
    for _ in range(2):
        calls.call(f"/v1beta/interactions/{calls.id_of('interaction')}", body | {"model": "gemini-x", "usage": usage})
    return 2, 13


def _the_toolkit_records_a_call(calls: _Calls) -> tuple[int, int]:
    name = calls.post(_CHAT, stream_of(a_chunk({"content": "Hi"}), a_chunk({}, finish_reason="stop")), streamed=True)
    calls.bodies.append(a_toolkit_record(name))
    return 1, 150


def _changed(event: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(event) | changes).encode()


_BOTH = [
    _a_background_response_is_polled,
    _a_response_grows_from_poll_to_poll,
    _a_response_is_cancelled_and_its_items_are_read,
    _a_response_that_was_streamed_is_read_again,
    _a_run_is_polled,
    _a_run_is_read_beside_its_step,
    _a_run_is_streamed_and_read_again,
    _a_batch_is_polled,
    _batches_are_listed,
    _a_list_that_is_cut_off_counts_nothing,
    _a_list_comes_in_parts,
    _a_stored_completion_is_read_back,
    _a_cache_answers,
    _a_cache_answers_with_the_largest_account,
    _the_best_account_lies_on_the_next_day,
    _the_same_account_is_read_on_the_next_day,
    _an_answer_comes_before_its_request,
    _a_request_comes_in_parts,
    _an_answer_comes_in_parts,
    _the_gateway_logs_what_the_policy_tells,
    _the_gateway_and_the_model_log_tell_one_call,
    _the_model_log_knows_a_streams_usage,
    _azure_openai_logs_the_call_under_its_own_id,
    _two_calls_claim_one_record_of_azure_openai,
    _every_witness_tells_one_call,
    _a_poll_is_told_by_two_witnesses,
    _two_words_of_one_witness,
]
_ALONE = [
    _the_results_of_anthropic_s_batch_are_fetched_twice,
    _gemini_s_interaction_is_polled,
    _the_toolkit_records_a_call,
]


def _histories() -> dict[str, History]:
    histories = {}
    for number, tell in enumerate([*_BOTH, *_ALONE], 1):
        calls = _Calls(tell.__name__.strip("_").replace("_", " "), number)
        requests, tokens = tell(calls)
        histories[calls.name] = History(calls.caller, calls.bodies, requests, tokens)
    return histories


HISTORIES = _histories()
"""By what happens in them."""
LEDGER_ALONE = list(HISTORIES)[-len(_ALONE) :]
"""Those that Data Explorer reads in part: docs/queries.md says what it leaves out. It invents nothing in its place."""
