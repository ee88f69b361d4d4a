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
    from shared.stores.ports import ClaimedBodies, ContentStore

__all__ = ["Services", "reset", "services"]


@dataclass(frozen=True, slots=True)
class Services:
    """What triggers call: use cases with their stores bound."""

    settings: Settings
    ingest: "Callable[[Sequence[Delivery]], IngestOutcome]"
    fetch_claimed_bodies: Callable[[], int]
    rebuild_usage_rollups: Callable[[], int]
    audit: "AuditService"
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
    from shared.services.ingest import ingest  # noqa: PLC0415
    from shared.services.rollup import rebuild_usage_rollups  # noqa: PLC0415
    from shared.stores.sql.audit import SqlAuditStore  # noqa: PLC0415
    from shared.stores.sql.claims import SqlClaimQueue  # noqa: PLC0415
    from shared.stores.sql.engine import create_engine  # noqa: PLC0415
    from shared.stores.sql.ledger import SqlLedger  # noqa: PLC0415
    from shared.stores.sql.rollups import SqlUsageRollups  # noqa: PLC0415

    engine = create_engine(settings.database_url)
    closing: _Closing = [engine.dispose]
    content = _content(settings, engine, closing)
    ledger = SqlLedger(engine)
    claims = ClaimCheck(_bodies(settings, closing), largest=settings.claims.largest_bytes)
    return Services(
        settings=settings,
        ingest=partial(ingest, ledger=ledger, content=content, claims=claims),
        fetch_claimed_bodies=partial(
            fetch_claimed_bodies,
            queue=SqlClaimQueue(engine),
            ledger=ledger,
            content=content,
            claims=claims,
            patience=timedelta(days=settings.claims.days),
        ),
        rebuild_usage_rollups=partial(rebuild_usage_rollups, SqlUsageRollups(engine)),
        audit=AuditService(store=SqlAuditStore(engine), content=content),
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
