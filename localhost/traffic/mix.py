"""An hour of traffic: all sources together, and what speaks of no call, in the order in which the hubs get it."""

import heapq
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

import orjson

from localhost.event_file import FileEvent
from localhost.event_log import PARTITIONS
from localhost.hub_events import HubEvent
from localhost.traffic import azure_monitor, native, others
from localhost.traffic.calls import Call, Sent, a_call, iso
from localhost.traffic.dice import Dice
from localhost.traffic.other_calls import an_other_call

__all__ = ["DEFAULT_START", "an_hour", "with_positions", "within_hour"]

DEFAULT_START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning."""

_SOURCES: Final = (
    (0.62, native.events),
    (0.77, others.enterprise_logging),
    (0.90, others.ai_hub_gateway),
    (0.92, others.toolkit),
    (0.94, others.how_to),
    (0.96, others.raw_http),
    (0.98, others.personal_data),
    (1.0, others.enterprise_azureai),
)
"""Share of the calls up to here -> who reports them."""
_OTHER_OPERATIONS: Final = 0.06
_BYPASSES: Final = 0.01
"""Calls that do not go through the gateway: only the service's own log knows them."""
_MONITORED: Final = 0.15
"""Of the calls that our own policy reports and the service answers: those that the diagnostic settings log too."""
_METRICS: Final = 0.015
_POISON: Final = 0.003
_SENT_TWICE: Final = 0.003
_OK: Final = b'"status":200,'
_MOST_PER_STEP: Final = 5
_RESOURCE: Final = (
    "/SUBSCRIPTIONS/00000000-0000-4000-6000-000000000001/RESOURCEGROUPS/RG-GATEWAY/PROVIDERS"
    "/MICROSOFT.APIMANAGEMENT/SERVICE/APIM-EXAMPLE"
)
_SHAPE: Final = (3, 4, 6, 7, 8, 9, 9, 8, 7, 5, 6, 7)
"""How busy each five minutes of a working hour are."""
_SLOT_MS: Final = 300_000


def an_hour(events: int, seed: int, start: datetime = DEFAULT_START) -> Iterator[FileEvent]:
    """Return exactly that many events of one hour, with their positions; equal arguments, equal events.

    Args:
        events: how many. They spread over the hour, however few or many they are.
        seed: of all chance.
        start: of the hour.
    """
    return with_positions(_in_order(events, Dice(seed), int(start.timestamp()) * 1000))


def _in_order(events: int, dice: Dice, start: int) -> Iterator[Sent]:
    under_way: list[tuple[int, int, Sent]] = []
    numbers = count()
    made = 0
    while made < events:
        at = start + within_hour(made / events)
        step = _step(dice, at, room=events - made)
        made += len(step)
        while under_way and under_way[0][0] <= at:
            yield heapq.heappop(under_way)[2]
        for sent in step:
            heapq.heappush(under_way, (sent.at, next(numbers), sent))
    while under_way:
        yield heapq.heappop(under_way)[2]


def _step(dice: Dice, at: int, *, room: int) -> list[Sent]:
    """Return what happens next: a call's events, or one that is none; at most `room` of them."""
    fraction = dice.fraction()
    if fraction < _METRICS:
        return [_metrics(dice, at)]
    if fraction < _METRICS + _POISON:
        return [_poison(dice, at)]
    call = a_call(dice, at)
    if room < _MOST_PER_STEP:
        # No pair is cut in half by the end of the file.
        return others.ai_hub_gateway(call, dice)
    sent = _reports(call, dice)
    if dice.chance(_SENT_TWICE):
        # The sender got no answer and sent it again: the same bytes at another position.
        sent.append(sent[-1]._replace(at=sent[-1].at + dice.between(200, 5000)))
    return sent


def _reports(call: Call, dice: Dice) -> list[Sent]:
    if dice.chance(_OTHER_OPERATIONS):
        return native.events(an_other_call(dice, call.started_at), dice)
    if dice.chance(_BYPASSES):
        return [azure_monitor.service_log(call, dice)]
    share = dice.fraction()
    report = next(report for limit, report in _SOURCES if share < limit)
    sent = report(call, dice)
    if len(sent) > 1 and report is native.events and _OK in sent[-1].body and dice.chance(_MONITORED):
        sent += azure_monitor.events(call, dice)
    return sent


def with_positions(events: Iterator[Sent]) -> Iterator[FileEvent]:
    """Give events, in the order of time, their partitions and numbers."""
    following: dict[tuple[str, str], int] = {}
    turns = count()
    for at, hub, fixed, key, body in events:
        number = next(turns) if key is None else zlib.crc32(key.encode())
        partition = fixed or PARTITIONS[number % len(PARTITIONS)]
        sequence = following.get((hub, partition), 0)
        following[hub, partition] = sequence + 1
        yield FileEvent(hub, partition, HubEvent(sequence, iso(at), key, body))


def _metrics(dice: Dice, at: int) -> Sent:
    """Return a diagnostic setting's metrics: records without a category."""
    records = []
    for name in ("Requests", "Capacity"):
        count, most = dice.between(1, 60), dice.between(1, 90)
        records.append(
            {
                "count": count,
                "total": count * most,
                "minimum": 0,
                "maximum": most,
                "average": most / 2,
                "resourceId": _RESOURCE,
                "time": iso(at - at % 60_000),
                "metricName": name,
                "timeGrain": "PT1M",
            }
        )
    return Sent(at, "monitor", None, None, orjson.dumps({"records": records}))


def _poison(dice: Dice, at: int) -> Sent:
    """Return an event that no parser can read."""
    bodies = (
        f"{iso(at)},apim-example,{dice.guid()},198.51.100.7,ChatCompletions_Create".encode(),
        b'{"schema":"promptledger/1","interactionId":"' + dice.letters(8).encode(),
        dice.data(24),
        orjson.dumps({"kind": "heartbeat", "number": dice.below(10**9)}),
    )
    return Sent(at, "gateway", None, None, dice.pick(bodies))


def within_hour(fraction: float) -> int:
    """Return the milliseconds of the hour after which this fraction of its calls have started."""
    left = fraction * sum(_SHAPE)
    for slot, weight in enumerate(_SHAPE):
        if left < weight:
            return slot * _SLOT_MS + int(left / weight * _SLOT_MS)
        left -= weight
    return len(_SHAPE) * _SLOT_MS - 1
