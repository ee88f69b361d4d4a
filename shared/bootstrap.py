"""The only place that builds stores: on the first call, once per process."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared.domain.delivery import Delivery
from shared.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from shared.services.audit import AuditService
    from shared.services.ingest import IngestOutcome
    from shared.services.quarantine import QuarantineService
    from shared.stores.ports import ClaimedBodies, ContentStore

__all__ = ["Services", "reset", "services"]


@dataclass(frozen=True, slots=True)
class Services:
    """What triggers call: use cases with their stores bound."""

    settings: Settings
    ingest: "Callable[[Sequence[Delivery]], IngestOutcome]"
    fetch_claimed_bodies: Callable[[], int]
    rebuild_usage_rollups: Callable[[], int]
    expire_pending_fragments: Callable[[], None]
    check_completeness: Callable[[], None]
    audit: "AuditService"
    quarantine: "QuarantineService"
    close: Callable[[], None]
    """Give back the stores' connections."""


_Closing = list[Callable[[], None]]
"""What gives back connections; each may be called again, for services that were closed work anew."""

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


def _build(settings: Settings) -> Services:
    # Imported here: the worker indexes functions at every cold start, and most need no store for that.
    from shared.services.audit import AuditService  # noqa: PLC0415
    from shared.services.claims import ClaimCheck, fetch_claimed_bodies  # noqa: PLC0415
    from shared.services.completeness import KINDS, check_completeness  # noqa: PLC0415
    from shared.services.ingest import ingest  # noqa: PLC0415
    from shared.services.isolation import Failures  # noqa: PLC0415
    from shared.services.measures import measure_findings, measure_standing, measured  # noqa: PLC0415
    from shared.services.quarantine import QuarantineService  # noqa: PLC0415
    from shared.services.rollup import rebuild_usage_rollups  # noqa: PLC0415
    from shared.services.upkeep import expire_pending_fragments  # noqa: PLC0415
    from shared.stores.sql.audit import SqlAuditStore  # noqa: PLC0415
    from shared.stores.sql.claims import SqlClaimQueue  # noqa: PLC0415
    from shared.stores.sql.completeness import SqlCompleteness  # noqa: PLC0415
    from shared.stores.sql.engine import create_engine  # noqa: PLC0415
    from shared.stores.sql.ledger import SqlLedger  # noqa: PLC0415
    from shared.stores.sql.quarantine import SqlQuarantine  # noqa: PLC0415
    from shared.stores.sql.rollups import SqlUsageRollups  # noqa: PLC0415
    from shared.telemetry_export import recorder as recorder_of  # noqa: PLC0415

    # A connection for each thread that can ask: those of the functions, and as many of the audit API.
    engine = create_engine(
        settings.database_url,
        connections=2 * settings.threads,
        managed=settings.in_azure,
        client_id=settings.client_id,
    )
    closing: _Closing = [engine.dispose]
    content = _content(settings, engine, closing)
    ledger, audit, completeness = SqlLedger(engine), SqlAuditStore(engine), SqlCompleteness(engine)
    claims = ClaimCheck(_bodies(settings, closing), largest=settings.claims.largest_bytes)
    recorder = recorder_of(settings.telemetry)
    closing.append(recorder.close)
    wait = timedelta(minutes=settings.pending_minutes)

    def expire() -> None:
        failures = Failures("expire_pending_fragments", recorder)
        expire_pending_fragments(ledger=ledger, content=content, wait=wait, failures=failures)
        measure_standing(completeness, recorder, failures=failures)

    def check() -> None:
        failures = Failures("check_completeness", recorder)
        check_completeness(store=completeness, audit=audit, wait=wait, failures=failures)
        measure_findings(completeness, recorder, tuple(KINDS))

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
        fetch_claimed_bodies=partial(
            fetch_claimed_bodies,
            queue=SqlClaimQueue(engine),
            ledger=ledger,
            content=content,
            claims=claims,
            patience=timedelta(days=settings.claims.days),
            failures=Failures("fetch_claimed_bodies", recorder),
        ),
        rebuild_usage_rollups=partial(
            rebuild_usage_rollups, SqlUsageRollups(engine), failures=Failures("rebuild_usage_rollups", recorder)
        ),
        expire_pending_fragments=expire,
        check_completeness=check,
        audit=AuditService(store=audit, content=content),
        quarantine=QuarantineService(store=SqlQuarantine(engine), audit=audit, ledger=ledger, content=content),
        close=partial(_close, closing),
    )


def _close(closing: _Closing) -> None:
    for close in reversed(closing):
        close()


def _content(settings: Settings, engine: "Engine", closing: _Closing) -> "ContentStore":
    """Return the content store; `closing` will give back its connections."""
    if settings.cosmos is None:
        from shared.stores.sql.content import SqlContentStore  # noqa: PLC0415

        return SqlContentStore(engine)

    from shared.stores.cosmos import CosmosContentStore  # noqa: PLC0415
    from shared.stores.cosmos_account import connected  # noqa: PLC0415

    cosmos = settings.cosmos
    store = CosmosContentStore(
        partial(connected, cosmos), content_days=cosmos.content_days, aside_days=cosmos.aside_days
    )
    closing.append(store.close)
    return store


def _bodies(settings: Settings, closing: _Closing) -> "ClaimedBodies | None":
    """Return the store of claimed bodies, if there is one; `closing` will give back its connections."""
    claims = settings.claims
    if claims.account is None:
        return None

    from shared.stores.blob import BlobClaimedBodies, connected  # noqa: PLC0415

    store = BlobClaimedBodies(
        partial(connected, claims.account), containers=claims.containers, largest=claims.largest_bytes
    )
    closing.append(store.close)
    return store
