"""A call on provisioned throughput, and the hour's capacity -> its part of what the hour costs. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from shared.domain.interaction import Provenance
from shared.pricing.book import Book
from shared.pricing.capacity import ReservedHour, part_of, weight_of
from shared.pricing.charges import TOOLS_EXTRA, Charge, Confidence
from shared.pricing.entries import TOOL_MODELS, Unit
from shared.pricing.quantities import Quantities

__all__ = ["is_spilled", "names_of", "shared_charge", "throughput_of_call"]


def is_spilled(call: Mapping[str, Any]) -> bool:
    """Return whether another deployment than the one asked for served, which none of its answer's headers names.

    Source: https://learn.microsoft.com/azure/foundry/openai/how-to/spillover-traffic-management
    """
    headers = call.get("spillover")
    if call.get("served_deployment") or not headers:
        return False
    spillover = orjson.loads(headers)
    return bool(spillover.get("spilled") or spillover.get("from"))


def throughput_of_call(call: Mapping[str, Any], book: Book) -> ReservedHour | None:
    """Return the provisioned throughput that served a call; newer paths name the deployment as the model."""
    if is_spilled(call):
        return None
    at, host = call["occurred_at"], call.get("backend_host")
    found = (book.throughput(name, host, at) for name in names_of(call) if name)
    return next(filter(None, found), None)


def names_of(call: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Return how a call may name the deployment that served it."""
    return (call.get("served_deployment") or call.get("deployment"), call.get("requested_model"), call.get("model"))


def shared_charge(
    call: Mapping[str, Any], billed: Quantities, shared: ReservedHour, used: Mapping[tuple[str, str], int]
) -> Charge:
    """Return a call's part of an hour of provisioned throughput.

    By the hour's capacity, where that is published and not exceeded; else by all calls of the hour.
    """
    if shared.cost is None or billed.output_tokens is None:
        reason = "several-currencies" if shared.cost is None else "no-tokens"
        return Charge(Confidence.NO_PRICE, reason, capacity=shared.name)
    weight = weight_of(
        given=billed.input_tokens,
        cached=call.get("cached_input_tokens") or 0,
        made=billed.output_tokens,
        throughput=shared.throughput,
    )
    known = used.get((shared.name, shared.hour))
    if known is None and shared.capacity is None:
        # How many share the hour is known once all of its calls are counted.
        return Charge(Confidence.NO_PRICE, "hour-open", capacity=shared.name, weight=weight)
    others = max(known or 0, weight)
    among = shared.shared_tokens(others)
    by_capacity = among == shared.capacity
    doubts = (
        None if by_capacity else "hour-shared",
        "usage-estimated" if call.get("usage_provenance") == Provenance.ESTIMATED else None,
        billed.doubt,
        # Searches and other tools are billed beside the throughput.
        "searches-extra" if any(one.unit is Unit.SEARCH for one in billed.lines) else None,
        TOOLS_EXTRA if any(one.unit in TOOL_MODELS for one in billed.lines) else None,
    )
    doubt = next(filter(None, doubts), None)
    return Charge(
        Confidence.EXACT if doubt is None else Confidence.ESTIMATED,
        doubt or "capacity-shared",
        part_of(shared.cost, weight, among),
        shared.currency,
        shared.book_version,
        shared.name,
        weight,
    )
