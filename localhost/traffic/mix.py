"""An hour of traffic: all sources together, in the order in which the hubs get it."""

import heapq
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

from localhost.event_file import FileEvent
from localhost.event_log import PARTITIONS
from localhost.hub_events import HubEvent
from localhost.traffic import ai_hub_gateway, azure_monitor, enterprise_logging, native, noise, others
from localhost.traffic.calls import Call, Sent, a_call
from localhost.traffic.dice import Dice
from localhost.traffic.other_calls import an_other_call
from localhost.traffic.times import iso, within_hour

__all__ = ["DEFAULT_START", "an_hour"]

DEFAULT_START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning."""

_SOURCES: Final = (
    (0.62, native.events),
    (0.77, enterprise_logging.events),
    (0.90, ai_hub_gateway.events),
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


def an_hour(events: int, seed: int, start: datetime = DEFAULT_START) -> Iterator[FileEvent]:
    """Return exactly that many events of one hour, with their positions; equal arguments, equal events.

    Args:
        events: how many. They spread over the hour, however few or many they are.
        seed: of all chance.
        start: of the hour.
    """
    return _placed(_sent(events, Dice(seed), int(start.timestamp()) * 1000))


def _sent(events: int, dice: Dice, start: int) -> Iterator[Sent]:
    under_way: list[tuple[int, int, Sent]] = []
    numbers = count()
    begun = 0
    while begun < events:
        at = start + within_hour(begun / events)
        step = _step(dice, at, room=events - begun)
        begun += len(step)
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
        return [noise.metrics(dice, at)]
    if fraction < _METRICS + _POISON:
        return [noise.poison(dice, at)]
    call = a_call(dice, at)
    if room < _MOST_PER_STEP:
        # No pair is cut in half by the end of the file.
        return ai_hub_gateway.events(call, dice)
    sent = _reported(call, dice)
    if dice.chance(_SENT_TWICE):
        # The sender got no answer and sent it again: the same bytes at another position.
        sent.append(sent[-1]._replace(at=sent[-1].at + dice.between(200, 5000)))
    return sent


def _reported(call: Call, dice: Dice) -> list[Sent]:
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


def _placed(events: Iterator[Sent]) -> Iterator[FileEvent]:
    """Give events their partitions and numbers."""
    following: dict[tuple[str, str], int] = {}
    turns = count()
    for at, hub, fixed, key, body in events:
        number = next(turns) if key is None else zlib.crc32(key.encode())
        partition = fixed or PARTITIONS[number % len(PARTITIONS)]
        sequence = following.get((hub, partition), 0)
        following[hub, partition] = sequence + 1
        yield FileEvent(hub, partition, HubEvent(sequence, iso(at), key, body))
