"""The audit API's application with this process's services: imported and built on the first call."""

import threading
from typing import TYPE_CHECKING

from shared.bootstrap import Services, services

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["audit_app"]

_lock = threading.Lock()
_built: "tuple[Services, FastAPI] | None" = None


def audit_app() -> "FastAPI":
    """Return the application, an ASGI callable; a new one once the services are new.

    Raises:
        ConfigurationError: a setting is missing or unfit; the next call tries again.
    """
    global _built  # noqa: PLW0603  # one per process is the point
    current = services()
    with _lock:
        if _built is None or _built[0] is not current:
            # Imported here: FastAPI takes longer than indexing all functions does.
            from shared.api.app import create_app  # noqa: PLC0415

            threads = current.settings.threads
            app = create_app(
                current.audit,
                current.settings,
                current.quarantine,
                prices=current.prices,
                restatements=current.restatements,
                capacity=current.capacity,
                costs=current.costs,
                payers=current.payers,
                budgets=current.budgets,
                exports=current.exports,
                threads=threads,
            )
            _built = (current, app)
        return _built[1]
