"""Words in a response body that no list of ours knows: reasons, categories, kinds, event types.

What each list decides stands with what reads it; here stands, in addition, what is known and decides nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from shared.domain.call_errors import FILTER_FAILURES, is_known_error
from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import Json
from shared.domain.verdicts import SEVERITIES, VERDICTS
from shared.operations.targets import operation_of_object

__all__ = ["note_unknown_events", "note_unknown_words"]

_REASONS: Final = frozenset(
    "stop length tool_calls content_filter function_call max_tokens max_output_tokens max_prompt_tokens "
    "max_completion_tokens eos eos_token end_turn".split()
)
_STATUSES: Final = frozenset(
    "completed incomplete failed cancelled cancelling canceled expired in_progress queued requires_action succeeded "
    "running notRunning notStarted validating finalizing processed processing uploaded pending error paused deleted "
    "preprocessing validating_files active ok".split()
)
_CATEGORIES: Final = frozenset(verdict.member for verdict in VERDICTS) | frozenset(
    "self-harm error custom_topics personally_identifiable_information task_adherence ungrounded_material".split()
)
_SEVERITIES: Final = frozenset({"safe", *SEVERITIES})
_OUTPUTS: Final = frozenset(
    "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output web_search_call "
    "file_search_call code_interpreter_call image_generation_call mcp_list_tools mcp_call mcp_approval_request "
    "mcp_approval_response computer_call computer_call_output local_shell_call local_shell_call_output shell_call "
    "shell_call_output apply_patch_call apply_patch_call_output tool_search_call tool_search_output compaction "
    "item_reference multi_agent_call multi_agent_call_output additional_tools program program_output".split()
)
_OBJECTS: Final = frozenset({"list", "page", "organization", "video", "image", "moderation", "skill", "realtime"})
_OBJECT_BEGINNINGS: Final = ("response.", "realtime.", "video.", "transcript.", "list.", "skill.", "chatkit.")
_EVENT: Final = re.compile(r"(?:\A|\n)event: ?([^\r\n]{1,128})")
# The end of an event's name, below what it is about.
_EVENT_STEMS: Final = (
    "response response.output_item response.content_part response.output_text response.output_text.annotation "
    "response.refusal response.function_call_arguments response.reasoning_summary_part response.reasoning_summary_text "
    "response.reasoning_text response.reasoning response.web_search_call response.file_search_call "
    "response.code_interpreter_call response.code_interpreter_call_code response.mcp_list_tools response.mcp_call "
    "response.mcp_call_arguments response.image_generation_call response.custom_tool_call_input response.audio "
    "response.audio.transcript response.output_audio response.output_audio_transcript response.shell_call_command "
    "response.shell_call_output_content response.inject thread thread.message thread.run thread.run.step "
    "image_generation image_edit transcript.text speech.audio"
).split()
_EVENT_ENDS: Final = (
    "added annotation audio cancelled cancelling completed created deleted delta done expired failed generating "
    "in_progress incomplete interpreting partial_image queued requires_action searching segment"
).split()
_EVENTS: Final = frozenset(f"{stem}.{end}" for stem in _EVENT_STEMS for end in _EVENT_ENDS) | {
    "done", "error", "ping", "keepalive", "message", "message_start", "message_delta", "message_stop",
    "content_block_start", "content_block_delta", "content_block_stop",
}  # fmt: skip
_FEW: Final = 128


def note_unknown_words(facts: Facts, body: Json) -> None:
    """Leave a trace in `facts` of the unknown words of a response body, parsed."""
    code = facts.get("error_code")
    if code is not None and not is_known_error(code):
        note(facts, "error_code", [code])
    if not isinstance(body, dict):
        return
    _note_reasons(facts, body)
    for results in _results(body):
        _note_results(facts, results)
    output = body.get("output")
    if isinstance(output, list):
        note(facts, "output", _unknown(_texts(output, "type"), _OUTPUTS))
    kind = body.get("object")
    if isinstance(kind, str) and not _is_known_object(kind):
        note(facts, "object", [kind])


def note_unknown_events(facts: Facts, stream: str) -> None:
    """Leave a trace in `facts` of the unknown names of events in a stream."""
    if "event:" in stream:
        note(facts, "event", _unknown(sorted({name.strip() for name in _EVENT.findall(stream)}), _EVENTS))


def _note_reasons(facts: Facts, body: Mapping[str, Json]) -> None:
    choices = body.get("choices")
    if isinstance(choices, list):
        note(facts, "finish_reason", _unknown(_texts(choices, "finish_reason"), _REASONS))
        return
    details = body.get("incomplete_details")
    if isinstance(details, dict) and isinstance(details.get("reason"), str):
        note(facts, "finish_reason", _unknown([details["reason"]], _REASONS))
    status = body.get("status")
    if isinstance(status, str) and "finish_reasons" in facts:
        note(facts, "status", _unknown([status], _STATUSES))


def _results(body: Mapping[str, Json]) -> Iterator[Json]:
    """Yield the filter's results wherever a body has them."""
    for name in ("prompt_filter_results", "prompt_annotations", "choices", "content_filters", "data"):
        entries = body.get(name)
        for entry in islice(entries, _FEW) if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                yield entry.get("content_filter_results") or entry.get("content_filter_result")


def _note_results(facts: Facts, results: Json) -> None:
    if not isinstance(results, dict) or not results:
        return
    if not _CATEGORIES.issuperset(results):
        note(facts, "filter", _unknown(results, _CATEGORIES))
    for name, result in results.items():
        if not isinstance(result, dict):
            continue
        severity = result.get("severity")
        if isinstance(severity, str) and severity not in _SEVERITIES:
            note(facts, "severity", [severity])
        if name == "error" and result.get("code") not in FILTER_FAILURES:
            note(facts, "filter_error", [result.get("code")])


def _is_known_object(kind: str) -> bool:
    return kind in _OBJECTS or operation_of_object(kind) is not None or kind.startswith(_OBJECT_BEGINNINGS)


def _texts(items: list[Json], member: str) -> Iterator[str]:
    for item in islice(items, _FEW):
        text = item.get(member) if isinstance(item, dict) else None
        if isinstance(text, str) and text:
            yield text


def _unknown(words: Iterable[str], known: frozenset[str]) -> list[str]:
    return [word for word in words if word not in known]
