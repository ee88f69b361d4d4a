"""Whether the app can do its work: each part that it needs is checked, and each that is dead is named.

What runs in the host tells nobody that it does not run. So a timer that is due leaves a mark in the ledger, and a hub
is queried for events that nobody stores.
"""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from shared.domain.values import utc_now
from shared.errors import AppError

__all__ = [
    "HUBS",
    "SCHEDULES",
    "Check",
    "HubWatch",
    "Readiness",
    "late_timers",
    "setting_fault",
    "storage_fault",
    "unreadable_schedules",
]

SCHEDULES: Final = {
    "check_budgets": "BUDGET_SCHEDULE",
    "check_completeness": "COMPLETENESS_SCHEDULE",
    "expire_pending_fragments": "EXPIRE_SCHEDULE",
    "fetch_claimed_bodies": "CLAIM_CHECK_SCHEDULE",
    "forward_calls": "FORWARD_SCHEDULE",
    "index_words": "WORDS_SCHEDULE",
    "make_exports": "EXPORT_SCHEDULE",
    "rebuild_usage_rollups": "ROLLUP_SCHEDULE",
    "refresh_prices": "PRICES_SCHEDULE",
}
"""Timer function -> the setting that holds its schedule."""

HUBS: Final = {"gateway": "GATEWAY_HUB_NAME", "monitor": "MONITOR_HUB_NAME"}
"""The app's name for a hub -> the setting that holds the namespace's."""

Check = Callable[[], Mapping[str, str] | None]
"""Returns what is not fit, by its name, with the reason; nothing when all is well. May raise, and may take long."""

_SECONDS: Final = 0.6
"""For all checks together: who probes wants an answer within a second."""
_LATE: Final = timedelta(minutes=5)
"""How long after it was due a timer may begin: the host elects who runs it, and starts an instance."""
_FIELDS: Final = 6
_CONNECT_SECONDS: Final = 0.5
_ASK_EVERY: Final = timedelta(seconds=60)
"""Asking a hub opens a connection and takes a second."""
_STILL: Final = timedelta(minutes=3)
"""So long a partition may stand still before events that wait in it: longer than another host takes to take it over."""


class Readiness:
    """Asks all checks at the same time, each on a thread of its own, and waits for none of them for long."""

    def __init__(self, checks: Mapping[str, Check], *, seconds: float = _SECONDS) -> None:
        """Ask `checks`, by the name of the part that is dead when one does not answer within `seconds`."""
        self._checks = dict(checks)
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="readiness")
        self._running: dict[str, Future[Mapping[str, str] | None]] = {}
        self._lock = threading.Lock()

    def unfit(self) -> dict[str, str]:
        """Return the parts that are not fit, with the reasons, which are for the log; never raises."""
        with self._lock:
            for name, check in self._checks.items():
                # One that hangs is not started again: threads must not pile up behind it.
                if name not in self._running or self._running[name].done():
                    self._running[name] = self._pool.submit(check)
            running = dict(self._running)
        wait(running.values(), timeout=self._seconds)
        faults: dict[str, str] = {}
        for name, answer in running.items():
            faults |= _faults(name, answer)
        return faults

    def close(self) -> None:
        """Ask nothing any more, once what is under way has ended: it may hold connections."""
        self._pool.shutdown(cancel_futures=True)


def _faults(name: str, answer: "Future[Mapping[str, str] | None]") -> Mapping[str, str]:
    if not answer.done():
        return {name: "it does not answer in time"}
    error = answer.exception()
    if error is None:
        return answer.result() or {}
    return {name: str(error) if isinstance(error, AppError) else type(error).__name__}


def setting_fault(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return which of the settings that the host resolves in bindings are missing: their functions do not start."""
    missing = [name for name in names if not environment.get(name, "").strip()]
    return {f"setting {name}": "it is missing, and a function's binding needs it" for name in missing}


def unreadable_schedules(schedules: Mapping[str, str]) -> dict[str, str]:
    """Return which of the timers' schedules are missing or cannot be read; see `late_timers`."""
    return {
        f"schedule {name}": f"{schedule!r} is no NCRONTAB schedule of six fields"
        for name, schedule in schedules.items()
        if _due(schedule, utc_now()) is None
    }


def late_timers(schedules: Mapping[str, str], last: Mapping[str, str], *, since: datetime, now: datetime) -> list[str]:
    """Return the timer functions that were due and did not run.

    Args:
        schedules: NCRONTAB by the function's name; those that cannot be read are passed over.
        last: when each ran last, canonical UTC.
        since: when this process began: what was due before may have been due while nothing ran at all.
        now: by the same clock.
    """
    late = []
    for name, schedule in schedules.items():
        due = _due(schedule, now - _LATE)
        if due is None or due < since:
            continue
        ran_at = last.get(name)
        # Two clocks, and a host that is a little early.
        if ran_at is None or datetime.fromisoformat(ran_at) < due - timedelta(seconds=5):
            late.append(name)
    return late


def _due(schedule: str, moment: datetime) -> datetime | None:
    """Return when a schedule was due last, up to `moment`; None when it cannot be read."""
    from croniter import CroniterError, croniter  # noqa: PLC0415  # only the Functions host asks for it

    if len(schedule.split()) != _FIELDS:
        return None
    try:
        # Unlike cron, NCRONTAB wants day of month and day of week both to match.
        due: datetime = croniter(schedule, moment, second_at_beginning=True, day_or=False).get_prev(datetime)
    except (CroniterError, ValueError, KeyError):
        return None
    return due


def storage_fault(environment: Mapping[str, str]) -> str | None:
    """Return why the host's storage cannot be reached: without it no timer runs, and no hub is read."""
    address = _blob_address(environment)
    if address is None:
        return "AzureWebJobsStorage is not set, or names no account"
    host, port = address
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        return f"AzureWebJobsStorage cannot be reached: {type(error).__name__}"
    return None


def _blob_address(environment: Mapping[str, str]) -> tuple[str, int] | None:
    named = dict(part.split("=", 1) for part in environment.get("AzureWebJobsStorage", "").split(";") if "=" in part)
    suffix = named.get("EndpointSuffix", "core.windows.net")
    account = named.get("AccountName") or environment.get("AzureWebJobsStorage__accountName", "")
    url = named.get("BlobEndpoint") or environment.get("AzureWebJobsStorage__blobServiceUri", "")
    if named.get("UseDevelopmentStorage", "").lower() == "true":
        url = url or "http://127.0.0.1:10000"
    if not url and account:
        url = f"{named.get('DefaultEndpointsProtocol', 'https')}://{account}.blob.{suffix}"
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


class _Seen(NamedTuple):
    sequence: int
    since: datetime


class HubWatch:
    """Compares what a hub holds with what the ledger stored of it, now and then, on a thread of its own.

    A listener is dead when events wait in a partition and none of them was stored for minutes: it does not say
    so itself, and neither does an extension that is not there.
    """

    def __init__(
        self,
        hub: str,
        held: Callable[[], Mapping[str, int]],
        stored: Callable[[], Mapping[str, int]],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Watch `hub`.

        Args:
            hub: the app's name for it.
            held: returns each partition's last sequence number, -1 for one that is empty; raises where the hub is away.
            stored: returns the last sequence number that the ledger has of each partition.
            now: our clock.
        """
        self._hub = hub
        self._held = held
        self._stored = stored
        self._now = now
        self._seen: dict[str, _Seen] = {}
        self._looked_at: datetime | None = None
        self._fault: str | None = None
        self._asking = threading.Lock()

    def check(self) -> Mapping[str, str]:
        """Return what is known, at once; ask the hub anew, in the background, when that is a minute old."""
        moment = self._now()
        if (self._looked_at is None or moment - self._looked_at >= _ASK_EVERY) and self._asking.acquire(blocking=False):
            self._looked_at = moment
            threading.Thread(target=self._ask, name=f"watch-{self._hub}", daemon=True).start()
        fault = self._fault
        return {} if fault is None else {f"hub {self._hub}": fault}

    def _ask(self) -> None:
        try:
            self.look()
        finally:
            self._asking.release()

    def look(self) -> None:
        """Ask hub and ledger, and keep what follows."""
        try:
            held = self._held()
        except Exception as error:  # noqa: BLE001  # a client has many words for a hub that is away
            self._fault = f"it does not answer: {type(error).__name__}"
            return
        try:
            stored = self._stored()
        except AppError:
            # The ledger's own check says so.
            return
        still = sorted(partition for partition, last in held.items() if self._stands(partition, last, stored))
        self._fault = f"events wait, and none is stored, in partition {', '.join(still)}" if still else None

    def _stands(self, partition: str, last: int, stored: Mapping[str, int]) -> bool:
        sequence = stored.get(partition, -1)
        seen = self._seen.get(partition)
        if sequence >= last or seen is None or seen.sequence != sequence:
            self._seen[partition] = _Seen(sequence, self._now())
            return False
        return self._now() - seen.since >= _STILL
