"""The only place that builds stores: on the first call, once per process."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from shared.domain.delivery import Delivery
from shared.domain.values import utc_now, utc_of
from shared.retry import QUICK_SECONDS
from shared.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from shared.services.audit import AuditService
    from shared.services.budgets import BudgetService
    from shared.services.capacity import CapacityService
    from shared.services.costs import CostService
    from shared.services.exports import ExportService
    from shared.services.ingest import IngestOutcome
    from shared.services.payers import PayerService
    from shared.services.price_refresh import Refresh
    from shared.services.prices import PriceService
    from shared.services.quarantine import QuarantineService
    from shared.services.readiness import Check, Readiness
    from shared.services.restatements import RestatementService
    from shared.stores.ports import ReadinessStore

__all__ = ["Services", "reset", "services"]


@dataclass(frozen=True, slots=True)
class Services:
    """What triggers call: use cases with their stores bound."""

    settings: Settings
    ingest: "Callable[[Sequence[Delivery]], IngestOutcome]"
    fetch_claimed_bodies: Callable[[], int]
    rebuild_usage_rollups: Callable[[], int]
    load_prices: "Callable[..., int]"
    """Load a file of prices or deployments: `shared.services.prices.load_file`, with the store bound."""
    payers: "PayerService"
    prices: "PriceService"
    fetch_prices: "Callable[..., Refresh]"
    refresh_prices: Callable[[], None]
    restatements: "RestatementService"
    budgets: "BudgetService"
    check_budgets: Callable[[], int]
    capacity: "CapacityService"
    expire_pending_fragments: Callable[[], None]
    check_completeness: Callable[[], None]
    index_words: Callable[[], int]
    audit: "AuditService"
    quarantine: "QuarantineService"
    costs: "CostService"
    exports: "ExportService"
    make_exports: Callable[[], int]
    forward_calls: Callable[[], int]
    readiness: "Readiness"
    close: Callable[[], None]
    """Give back the stores' connections."""


_Closing = list[Callable[[], None]]
"""What gives back connections; each may be called again, for services that were closed work anew."""

_CHATTY = (
    "azure.core",
    "azure.cosmos",
    "azure.eventhub",
    "azure.identity",
    "azure.monitor",
    "azure.storage",
    "msal",
    "uamqp",
    "urllib3",
)
"""Loggers of the SDKs, which tell of every request and every answer at INFO: two records and 1.5 kB for each event.

Not `azure` itself: the worker's own logger is `azure.functions`."""

_WORKERS = frozenset({"azure_functions_worker", "azure_functions_runtime", "proxy_worker"})
"""Packages of the Functions worker, whichever Python it runs."""
_Result = TypeVar("_Result")

_lock = threading.Lock()
_services: Services | None = None


def services() -> Services:
    """Return this process's services, building them on the first call.

    Locked, because functions run on a thread pool and two first calls can race.

    Raises:
        ConfigurationError: a setting is missing or cannot be read; the next call tries again.
    """
    global _services  # noqa: PLW0603  # one per process is the point
    if _services is None:
        with _lock:
            if _services is None:
                _services = _build(Settings.read(os.environ))
    return _services


def reset() -> None:
    """Forget the services, so that the next call reads the settings anew."""
    global _services  # noqa: PLW0603  # as above
    with _lock:
        if _services is not None:
            _services.close()
        _services = None


def _quieten() -> None:
    # Not by host.json: to the host all of them are lines of the function that was running.
    for name in _CHATTY:
        chatty = logging.getLogger(name)
        if chatty.level == logging.NOTSET:
            chatty.setLevel(logging.WARNING)


def _build(settings: Settings) -> Services:
    _quieten()
    # Imported here: the worker indexes functions at every cold start, and most need no store for that.
    from shared import content_places, exporting  # noqa: PLC0415
    from shared.money import budget_check, money_services, price_follower, price_services, with_prices  # noqa: PLC0415
    from shared.retry import retried  # noqa: PLC0415
    from shared.services.audit import AuditService  # noqa: PLC0415
    from shared.services.claim_checks import ClaimCheck, fetch_claimed_bodies  # noqa: PLC0415
    from shared.services.completeness import KINDS, check_completeness  # noqa: PLC0415
    from shared.services.ingest import ingest  # noqa: PLC0415
    from shared.services.isolation import Failures  # noqa: PLC0415
    from shared.services.measures import measure_findings, measure_standing, measured  # noqa: PLC0415
    from shared.services.quarantine import QuarantineService  # noqa: PLC0415
    from shared.services.rollup import rebuild_usage_rollups  # noqa: PLC0415
    from shared.services.upkeep import expire_pending_fragments  # noqa: PLC0415
    from shared.services.words import index_words  # noqa: PLC0415
    from shared.stores.sql.audit import SqlAuditStore  # noqa: PLC0415
    from shared.stores.sql.claims import SqlClaimQueue  # noqa: PLC0415
    from shared.stores.sql.completeness import SqlCompleteness  # noqa: PLC0415
    from shared.stores.sql.content import SqlContentStore  # noqa: PLC0415
    from shared.stores.sql.lease import SqlReadiness  # noqa: PLC0415
    from shared.stores.sql.ledger import SqlLedger  # noqa: PLC0415
    from shared.stores.sql.quarantine import SqlQuarantine  # noqa: PLC0415
    from shared.stores.sql.rollups import SqlUsageRollups  # noqa: PLC0415
    from shared.stores.sql.word_search import SearchableWords  # noqa: PLC0415
    from shared.telemetry_export import recorder as recorder_of  # noqa: PLC0415

    engine, api_engine = _engines(settings)
    prices = price_services(engine, api_engine)
    closing: _Closing = [engine.dispose, api_engine.dispose]
    content = content_places.content_store(settings, engine, closing)
    ledger, audit, completeness = (
        SqlLedger(engine, marks_calls=bool(settings.forward.endpoint)),
        SqlAuditStore(api_engine),
        SqlCompleteness(engine),
    )
    api_content = content if settings.cosmos else SqlContentStore(api_engine, retry_seconds=QUICK_SECONDS)
    claims = ClaimCheck(content_places.claimed_bodies(settings, closing), largest=settings.claims.largest_bytes)
    recorder = recorder_of(settings.telemetry)
    closing.append(recorder.close)
    runs, wait = SqlReadiness(engine), timedelta(minutes=settings.pending_minutes)

    def marked(name: str, run: Callable[[], _Result]) -> Callable[[], _Result]:
        def mark_and_run() -> _Result:
            retried(partial(runs.note, name, utc_of(utc_now())))
            return run()

        return mark_and_run

    rebuild = partial(
        rebuild_usage_rollups, SqlUsageRollups(engine), failures=Failures("rebuild_usage_rollups", recorder)
    )

    def expire() -> None:
        failures = Failures("expire_pending_fragments", recorder)
        expire_pending_fragments(ledger=ledger, content=content, wait=wait, failures=failures)
        measure_standing(completeness, recorder, failures=failures)
        SqlAuditStore(engine).gather_readings()

    def check() -> None:
        failures = Failures("check_completeness", recorder)
        check_completeness(store=completeness, audit=SqlAuditStore(engine), wait=wait, failures=failures)
        measure_findings(completeness, recorder, tuple(KINDS))

    words = SearchableWords(engine, content_days=settings.cosmos.content_days if settings.cosmos else 0)
    audit_service = AuditService(
        store=audit, content=api_content, words=SearchableWords(api_engine, retry_seconds=QUICK_SECONDS)
    )
    readiness = _readiness(settings, audit_service, runs, closing)
    return Services(
        settings=settings,
        ingest=measured(
            partial(
                ingest,
                ledger=ledger,
                content=content,
                claims=claims,
                limit=settings.invalid_limit,
                failures=Failures("estimate_usage", recorder),
            ),
            recorder,
        ),
        fetch_claimed_bodies=marked(
            "fetch_claimed_bodies",
            partial(
                fetch_claimed_bodies,
                queue=SqlClaimQueue(engine),
                ledger=ledger,
                content=content,
                claims=claims,
                patience=timedelta(days=settings.claims.days),
                failures=Failures("fetch_claimed_bodies", recorder),
            ),
        ),
        rebuild_usage_rollups=marked("rebuild_usage_rollups", with_prices(engine, rebuild)),
        check_budgets=marked("check_budgets", budget_check(settings, engine, recorder)),
        **prices,
        refresh_prices=marked("refresh_prices", price_follower(settings, prices["fetch_prices"])),
        **money_services(api_engine),
        expire_pending_fragments=marked("expire_pending_fragments", expire),
        check_completeness=marked("check_completeness", check),
        index_words=marked(
            "index_words",
            partial(index_words, index=words, content=content, failures=Failures("index_words", recorder)),
        ),
        exports=exporting.export_service(settings, api_engine, closing),
        forward_calls=marked("forward_calls", exporting.forwarding(settings, engine, content, recorder, closing)),
        make_exports=marked("make_exports", exporting.export_maker(settings, engine, content, recorder, closing)),
        audit=audit_service,
        quarantine=QuarantineService(
            store=SqlQuarantine(api_engine),
            audit=audit,
            ledger=SqlLedger(api_engine, marks_calls=bool(settings.forward.endpoint)),
            content=api_content,
        ),
        readiness=readiness,
        close=partial(_close, closing),
    )


def _in_functions_host() -> bool:
    """Return whether a worker of the Functions host runs this process: on a laptop `localhost` stands in for it."""
    return not _WORKERS.isdisjoint(sys.modules)


def _engines(settings: Settings) -> "tuple[Engine, Engine]":
    """Return the engine of the functions, and that of the audit API, which waits for a connection less long."""
    from shared.stores.sql.engine import create_engine  # noqa: PLC0415  # as above

    # A connection for each thread that can ask: those of the functions, and as many of the audit API, which
    # has its own, as somebody waits for its answer.
    engine_of = partial(
        create_engine,
        settings.database_url,
        connections=settings.threads,
        managed=settings.in_azure,
        client_id=settings.client_id,
    )
    patience = settings.api_connect_seconds
    return (
        engine_of(connect_seconds=settings.connect_seconds),
        engine_of(connect_seconds=patience, busy_seconds=patience),
    )


def _readiness(settings: Settings, audit: "AuditService", runs: "ReadinessStore", closing: _Closing) -> "Readiness":
    """Return what asks each part whether it works; `closing` will end its threads."""
    from shared.services.readiness import Readiness  # noqa: PLC0415  # as above

    checks: dict[str, Check] = {"database": audit.check}
    if settings.cosmos is not None:
        checks["content"] = audit.check_content
    if _in_functions_host():
        checks |= _host_checks(settings, runs, os.environ)
    readiness = Readiness(checks)
    closing.append(readiness.close)
    return readiness


def _host_checks(settings: Settings, runs: "ReadinessStore", environment: Mapping[str, str]) -> "dict[str, Check]":
    """Return the checks of what the Functions host does beside the app, and does not tell of."""
    from shared.services.readiness import (  # noqa: PLC0415  # as above
        HUBS,
        SCHEDULES,
        HubWatch,
        late_timers,
        setting_fault,
        storage_fault,
        unreadable_schedules,
    )
    from shared.stores.sql.azure_sql import entra_credential  # noqa: PLC0415

    began = utc_now()
    schedules = {name: environment.get(setting, "") for name, setting in SCHEDULES.items()}

    credential = partial(entra_credential, managed=settings.in_azure, client_id=settings.client_id)

    def held(hub_name: str) -> dict[str, int]:
        from shared.stores.event_hubs import last_sequences  # noqa: PLC0415  # the first question takes long anyway

        return last_sequences(environment, hub_name, credential=credential)

    def timers() -> dict[str, str]:
        late = late_timers(schedules, runs.last(), since=began, now=utc_now())
        return {f"timer {name}": "it was due, and did not run" for name in late}

    def storage() -> dict[str, str]:
        fault = storage_fault(environment)
        return {} if fault is None else {"storage": fault}

    checks: dict[str, Check] = {
        "schedules": partial(unreadable_schedules, schedules),
        "settings": partial(setting_fault, environment, [*HUBS.values(), "HUB_CONSUMER_GROUP"]),
        "storage": storage,
        "timers": timers,
    }
    for hub, setting in HUBS.items():
        watch = HubWatch(hub, partial(held, environment.get(setting, "")), partial(runs.stored, hub))
        checks[f"hub {hub}"] = watch.check
    return checks


def _close(closing: _Closing) -> None:
    for close in reversed(closing):
        close()
