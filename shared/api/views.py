"""Rows of the ledger -> JSON of the audit API. The models in `models.py` describe the same shapes."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from pydantic.alias_generators import to_camel

from shared.domain.balance import Balance, sum_of
from shared.domain.interaction import Provenance
from shared.domain.quarantine import Held
from shared.domain.values import Json, average
from shared.domain.verdicts import FILTER_MEASURES
from shared.services.audit import PartitionBalance
from shared.services.quarantine import Replayed
from shared.stores.ports import Row

__all__ = [
    "balance_view",
    "discarded_view",
    "finding_view",
    "held_view",
    "interaction_view",
    "page_view",
    "prompt_view",
    "quarantine_view",
    "replayed_view",
    "usage_view",
]


def _names(*columns: str) -> tuple[tuple[str, str], ...]:
    return tuple((to_camel(column), column) for column in columns)


_PLAIN: Final = _names(
    "id",
    "occurred_at",
    "state",
    "operation_id",
    "method",
    "path",
    "api_version",
    "deployment",
    "served_deployment",
    "model",
    "requested_model",
    "vendor",
    "cached",
    "streamed",
    "http_status",
    "caller_ip",
    "subscription_id",
    "product_id",
    "api_id",
    "user_id",
    "app_id",
    "session_id",
    "end_user_id",
    "gateway_region",
    "backend_id",
    "request_bytes",
    "response_bytes",
    "latency_ms",
    "backend_ms",
    "time_to_first_byte_ms",
    "response_id",
    "tool_calls",
    "prompt_preview",
    "completion_preview",
    "unreadable",
    "not_captured",
)
_FLAGS: Final = _names("truncated", "time_replaced", "callers_differ", "possible_refusal")
_OBJECTS: Final = _names("identity", "tags", "parameters", "spillover")
_LISTS: Final = _names("attempts", "awaited", "finish_reasons", "sources", "unknown_words")
_USAGE: Final = _names(
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "image_output_tokens",
    "total_tokens",
    "images",
    "seconds",
    "characters",
)
_PROMPT: Final = _names("id", "occurred_at", "model", "input_tokens", "prompt_preview")
_SUMS: Final = _names(
    "requests",
    "errors",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "unmetered_requests",
    "cached_requests",
    *FILTER_MEASURES,
    "filter_failures",
)
_FINDING: Final = _names("hour", "kind", "number", "found_at", "resolved_at")
_QUARANTINE: Final = _names("id", "hub", "sequence", "enqueued_at", "reason", "parser_version", "size")


def page_view(items: list[dict[str, Json]], next_cursor: str | None) -> dict[str, Json]:
    """Return one page of a list."""
    return {"items": items, "nextCursor": next_cursor}


def interaction_view(row: Row) -> dict[str, Json]:
    """Return an interaction: null is unknown, but lists are empty, and what is marked when seen is false."""
    view = {name: row[column] for name, column in _PLAIN}
    view |= {name: _json(row[column]) for name, column in _OBJECTS}
    view |= {name: _json(row[column]) or [] for name, column in _LISTS}
    view["operation"] = row["operation"] or "other"
    view |= {name: bool(row[column]) for name, column in _FLAGS}
    view["usage"] = _usage(row)
    view["contentFilter"] = {
        "promptFiltered": row["prompt_filtered"],
        "completionFiltered": row["completion_filtered"],
        "failed": bool(row["filter_failed"]),
        "categories": _json(row["filter_categories"]),
    }
    code, message = row["error_code"], row["error_message"]
    view["error"] = None if code is None and message is None else {"code": code, "message": message}
    return view


def _usage(row: Row) -> dict[str, Json]:
    if row["cached"]:
        # The answer repeats the usage of the call that filled the cache; this one used nothing.
        return dict.fromkeys((name for name, _ in _USAGE), None) | {"provenance": Provenance.MISSING.value}
    return {name: row[column] for name, column in _USAGE} | {"provenance": row["usage_provenance"]}


def prompt_view(row: Row) -> dict[str, Json]:
    """Return an item of the prompt list."""
    return {name: row[column] for name, column in _PROMPT}


def usage_view(row: Row, dimensions: Sequence[str]) -> dict[str, Json]:
    """Return a group's usage. The average is over the requests whose tokens are known; what polls repeat is one.

    `amount` and `currency` are null as long as nothing is priced.
    """
    told = row["token_requests"]
    return {
        **{to_camel(name): row[name] or None for name in dimensions},
        "intervalStart": row["interval_start"],
        **{name: row[column] for name, column in _SUMS},
        "averageTotalTokens": average(row["total_tokens"], told) if told else None,
        "amount": None,
        "currency": None,
    }


def balance_view(balances: Sequence[PartitionBalance]) -> dict[str, Json]:
    """Return the balance of each partition, and the sum."""
    return {"items": [_balance(balance) for balance in balances], "nextCursor": None, "total": asdict(sum_of(balances))}


def quarantine_view(row: Row) -> dict[str, Json]:
    """Return what is known of an event in quarantine."""
    return {name: row[column] for name, column in _QUARANTINE} | {"partition": row["partition_id"]}


def held_view(held: Held) -> dict[str, Json]:
    """Return an event of quarantine with its bytes."""
    body, encoded = None, None
    try:
        body = held.body.decode()
    except UnicodeDecodeError:
        encoded = base64.b64encode(held.body).decode()
    hub, partition, sequence, enqueued_at = held.position
    where = {"hub": hub, "partition": partition, "sequence": sequence, "enqueuedAt": enqueued_at}
    return {"id": held.id, **where, "body": body, "bodyBase64": encoded}


def replayed_view(replayed: Replayed, next_cursor: str | None) -> dict[str, Json]:
    """Return what became of events that were tried again."""
    return asdict(Balance.of(replayed.classes)) | {"unknown": replayed.unknown, "nextCursor": next_cursor}


def discarded_view(event_id: str) -> dict[str, Json]:
    """Return that an event was discarded."""
    return {"id": event_id, "discarded": True}


def finding_view(row: Row) -> dict[str, Json]:
    """Return something that is missing."""
    plain = {name: row[column] for name, column in _FINDING}
    return {"hub": row["hub"] or None, **plain, "detail": _json(row["detail"])}


def _balance(balance: PartitionBalance) -> dict[str, Json]:
    return {to_camel(name): value for name, value in asdict(balance).items()}


def _json(text: str | None) -> Any:  # noqa: ANN401  # any JSON value
    return None if text is None else orjson.loads(text)
