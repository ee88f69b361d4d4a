"""Builds the stores of content and of claimed bodies, for `bootstrap`."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.engine import Engine

from shared.settings import Settings
from shared.stores.ports import ClaimedBodies, ContentStore

__all__ = ["claimed_bodies", "content_store"]

_Closing = list[Callable[[], None]]


def content_store(settings: Settings, engine: Engine, closing: _Closing) -> ContentStore:
    """Return the content store; `closing` will give back its connections."""
    if settings.cosmos is None:
        from shared.stores.sql.content import SqlContentStore  # noqa: PLC0415

        return SqlContentStore(engine)

    from shared.stores.cosmos import CosmosContentStore, connected  # noqa: PLC0415

    cosmos = settings.cosmos
    store = CosmosContentStore(
        partial(connected, cosmos), content_days=cosmos.content_days, aside_days=cosmos.aside_days
    )
    closing.append(store.close)
    return store


def claimed_bodies(settings: Settings, closing: _Closing) -> ClaimedBodies | None:
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
