"""Readiness names each part that is dead, within a second, whatever hangs."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from localhost.functions import functions_of, indexed_functions
from shared import bootstrap
from shared.errors import StoreUnavailableError
from shared.money import price_follower
from shared.services.price_refresh import Refresh
from shared.services.readiness import (
    HUBS,
    SCHEDULES,
    HubWatch,
    Readiness,
    late_timers,
    setting_fault,
    storage_fault,
    unreadable_schedules,
)
from shared.settings import HOST_SETTINGS, Settings
from shared.stores.event_hubs import last_sequences
from shared.stores.sql.lease import SqlReadiness
from tests.builders.databases import new_sqlite

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EVERY_FIVE_MINUTES = "0 */5 * * * *"


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[SqlReadiness]:
    engine: Engine = new_sqlite(tmp_path)
    yield SqlReadiness(engine)
    engine.dispose()


def test_the_timers_and_hubs_that_readiness_looks_at_are_those_that_are_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in HOST_SETTINGS:
        monkeypatch.setenv(name, f"<{name}>")

    # Not the ones that another test's settings named.
    functions = functions_of(indexed_functions())

    assert {timer.name: timer.schedule for timer in functions.timers} == {
        name: f"<{setting}>" for name, setting in SCHEDULES.items()
    }
    assert {hub.hub: hub.hub_name for hub in functions.event_hubs} == {
        name: f"<{setting}>" for name, setting in HUBS.items()
    }


@pytest.mark.parametrize("schedule", ["", "*/5 * * * *", "0 0 99 * * *", "every five minutes or so ok"])
def test_a_schedule_that_is_missing_or_does_not_resolve_is_named(schedule: str) -> None:
    faults = unreadable_schedules({"rebuild_usage_rollups": schedule, "check_completeness": EVERY_FIVE_MINUTES})

    assert list(faults) == ["schedule rebuild_usage_rollups"]


def test_a_setting_that_a_binding_needs_is_named_when_it_is_missing() -> None:
    environment = {"GATEWAY_HUB_NAME": "gateway", "MONITOR_HUB_NAME": " "}

    assert list(setting_fault(environment, [*HUBS.values()])) == ["setting MONITOR_HUB_NAME"]


@pytest.mark.parametrize(
    ("ran_at", "late"),
    [
        pytest.param(None, True, id="never"),
        pytest.param("2026-03-02T11:45:00.000Z", True, id="not when it was due last"),
        pytest.param("2026-03-02T11:50:00.100Z", False, id="when it was due"),
        pytest.param("2026-03-02T11:49:58.000Z", False, id="by a clock that is a little behind"),
    ],
)
def test_a_timer_is_late_when_it_was_due_and_did_not_run(ran_at: str | None, late: bool) -> None:  # noqa: FBT001  # parametrised
    last = {} if ran_at is None else {"timer": ran_at}
    now = NOON - timedelta(minutes=4)

    found = late_timers({"timer": EVERY_FIVE_MINUTES}, last, since=NOON - timedelta(hours=1), now=now)

    assert found == (["timer"] if late else [])


def test_a_timer_is_not_late_that_was_due_before_the_process_began_or_a_moment_ago() -> None:
    schedules = {"timer": EVERY_FIVE_MINUTES}

    begun_late = late_timers(schedules, {}, since=NOON - timedelta(minutes=9), now=NOON)
    a_moment_ago = late_timers(
        schedules, {"timer": "2026-03-02T11:55:00.000Z"}, since=NOON - timedelta(hours=1), now=NOON
    )

    assert (begun_late, a_moment_ago) == ([], [])


def test_a_timer_leaves_a_mark_each_time_it_runs(marks: SqlReadiness) -> None:
    marks.note("check_completeness", "2026-03-02T11:00:00.000Z")
    marks.note("check_completeness", "2026-03-02T12:00:00.000Z")

    assert marks.last() == {"check_completeness": "2026-03-02T12:00:00.000Z"}


def test_every_timer_function_leaves_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new_sqlite(tmp_path)
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(engine.url))
    bootstrap.reset()

    for name in SCHEDULES:
        getattr(bootstrap.services(), name)()

    assert set(SqlReadiness(engine).last()) == set(SCHEDULES)
    bootstrap.reset()
    engine.dispose()


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_storage_that_answers_has_no_fault(listening: int) -> None:
    endpoint = f"BlobEndpoint=http://127.0.0.1:{listening}/devstoreaccount1;AccountName=devstoreaccount1"

    assert storage_fault({"AzureWebJobsStorage": endpoint}) is None
    assert storage_fault({"AzureWebJobsStorage__blobServiceUri": f"http://127.0.0.1:{listening}"}) is None


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        pytest.param({}, "not set", id="missing"),
        pytest.param({"AzureWebJobsStorage": ""}, "not set", id="empty"),
        pytest.param({"AzureWebJobsStorage": "nonsense"}, "not set", id="no connection string"),
        pytest.param({"AzureWebJobsStorage": "BlobEndpoint=http://127.0.0.1:1/x"}, "reached", id="nobody listens"),
        pytest.param({"AzureWebJobsStorage__accountName": "no such account"}, "reached", id="no such name"),
    ],
)
def test_storage_that_is_missing_or_away_is_named(environment: dict[str, str], reason: str) -> None:
    fault = storage_fault(environment)

    assert fault is not None
    assert reason in fault


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


class Hub:
    """A hub's last sequence numbers, and what the ledger has of them."""

    def __init__(self) -> None:
        self.held = {"0": 10, "1": -1}
        self.stored: dict[str, int] = {"0": 10}
        self.away = False
        self.clock = Clock()
        self.watch = HubWatch("gateway", self._held, lambda: self.stored, now=self.clock)

    def _held(self) -> dict[str, int]:
        if self.away:
            raise ConnectionError
        return dict(self.held)

    def looked_at(self, *, after: float) -> str:
        self.clock.wait(after)
        self.watch.look()
        return self.watch._fault or ""


def test_a_hub_whose_events_are_all_stored_is_well_however_long_none_comes() -> None:
    hub = Hub()

    assert [hub.looked_at(after=60) for _ in range(3)] == ["", "", ""]


def test_a_hub_that_holds_events_of_which_none_is_stored_for_minutes_is_dead() -> None:
    hub = Hub()
    hub.looked_at(after=0)
    hub.held |= {"0": 11, "1": 0}

    faults = [hub.looked_at(after=2) for _ in range(3)]

    assert faults[0] == ""
    assert faults[1] == faults[2] == "events wait, and none is stored, in partition 0, 1"


def test_a_hub_that_is_caught_up_with_slowly_is_not_dead() -> None:
    hub = Hub()
    hub.held["0"] = 1000
    hub.looked_at(after=0)

    for number in range(11, 16):
        hub.stored["0"] = number
        assert hub.looked_at(after=5) == ""


def test_a_hub_that_is_away_is_named_and_is_well_again_when_it_is_back() -> None:
    hub = Hub()
    hub.away = True
    away = hub.looked_at(after=1)
    hub.away = False

    assert away == "it does not answer: ConnectionError"
    assert hub.looked_at(after=1) == ""


def test_a_watch_answers_at_once_and_asks_the_hub_no_more_than_once_a_minute() -> None:
    asked = threading.Semaphore(0)
    clock = Clock()

    def held() -> dict[str, int]:
        asked.release()
        return {}

    watch = HubWatch("gateway", held, dict, now=clock)

    for _ in range(5):
        assert watch.check() == {}
    assert asked.acquire(timeout=5)
    assert not asked.acquire(timeout=0.1)
    clock.wait(1)
    watch.check()
    assert asked.acquire(timeout=5)


def test_a_namespace_where_nobody_listens_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true"

    with pytest.raises(Exception):  # noqa: B017, PT011  # the client has many kinds
        last_sequences({"EVENT_HUBS": told}, "gateway", credential=lambda: pytest.fail("a key signs in"))


def test_all_checks_together_take_no_longer_than_they_may_and_what_hangs_is_named() -> None:
    goes_on = threading.Event()

    def refuses() -> dict[str, str]:
        raise StoreUnavailableError("the database is away")

    def breaks() -> dict[str, str]:
        raise ZeroDivisionError

    readiness = Readiness(
        {
            "hangs": lambda: {"hangs": "too late"} if goes_on.wait(30) else {},
            "well": dict,
            "refuses": refuses,
            "breaks": breaks,
            "timers": lambda: {"timer x": "late"},
        },
        seconds=0.3,
    )

    faults = readiness.unfit()

    assert faults == {
        "hangs": "it does not answer in time",
        "refuses": "the database is away",
        "breaks": "ZeroDivisionError",
        "timer x": "late",
    }
    goes_on.set()
    readiness.close()


def test_a_check_that_hangs_is_not_begun_a_second_time() -> None:
    begun = []
    goes_on = threading.Event()

    def hangs() -> dict[str, str]:
        begun.append(1)
        goes_on.wait(30)
        return {}

    readiness = Readiness({"hangs": hangs}, seconds=0.05)

    answers = [readiness.unfit() for _ in range(3)]
    goes_on.set()
    readiness.close()

    assert (len(begun), [list(answer) for answer in answers]) == (1, [["hangs"]] * 3)


def test_prices_are_fetched_by_the_timer_only_where_the_settings_want_it() -> None:
    fetched: list[str] = []
    settings = Settings(database_url="sqlite://", auth="", in_azure=False)

    def refresh() -> Refresh:
        fetched.append("now")
        return Refresh(0, [], [])

    price_follower(settings, refresh)()
    assert fetched == []
    price_follower(replace(settings, refreshes_prices=True), refresh)()
    assert fetched == ["now"]
