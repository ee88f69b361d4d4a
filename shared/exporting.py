"""Builds what leaves the ledger, for `bootstrap`: exports, and calls that others are told of."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from shared.forward_settings import ForwardSettings
from shared.retry import RETRY_SECONDS
from shared.services.export_making import ExportMaker
from shared.services.exports import ExportService, ExportTimes
from shared.services.forwarding import forward_calls
from shared.services.isolation import Failures
from shared.settings import ClaimAccount, Settings
from shared.stores.content_ports import ContentStore
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.exports import SqlExports
from shared.stores.sql.forwarding import SqlForwarding
from shared.telemetry import Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.domain.exports import ExportKind
    from shared.domain.forwarding import ForwardedCall
    from shared.services.export_making import ExportSource
    from shared.stores.export_ports import ExportFiles
    from shared.stores.otlp import OtlpReceiver

__all__ = ["export_maker", "export_service", "forwarding"]

_Closing = list[Callable[[], None]]


def export_service(settings: Settings, api_engine: Engine, closing: _Closing) -> ExportService:
    """Return what answers for exports; `closing` will give back its connections."""
    files = _files(settings, closing)
    return ExportService(SqlExports(api_engine), files, SqlAuditStore(api_engine), times=_times(settings))


def export_maker(
    settings: Settings, engine: Engine, content: ContentStore, recorder: Recorder, closing: _Closing
) -> Callable[[], int]:
    """Return what makes exports, as `export_service` does."""
    maker = ExportMaker(
        SqlExports(engine, retry_seconds=RETRY_SECONDS),
        _files(settings, closing),
        SqlAuditStore(engine),
        partial(_sources, engine, content),
        times=_times(settings),
        failures=Failures("make_exports", recorder),
    )
    return maker.run


def forwarding(
    settings: Settings, engine: Engine, content: ContentStore, recorder: Recorder, closing: _Closing
) -> Callable[[], int]:
    """Return what tells others of calls; does nothing where the settings name nobody."""
    forward = settings.forward
    return partial(
        forward_calls,
        store=SqlForwarding(engine),
        receiver=_Late(forward, closing) if forward.endpoint else None,
        content=content if forward.has_texts else None,
        log=SqlAuditStore(engine),
        recorder=recorder,
    )


class _Late:
    """`CallReceiver` whose libraries are imported with the first call: most instances send none."""

    def __init__(self, settings: ForwardSettings, closing: _Closing) -> None:
        self._settings = settings
        self._closing = closing
        self._receiver: OtlpReceiver | None = None

    def send(self, calls: "Sequence[ForwardedCall]") -> None:
        if self._receiver is None:
            from shared.stores.otlp import OtlpReceiver  # noqa: PLC0415  # heavy

            self._receiver = OtlpReceiver(self._settings.endpoint, self._settings.headers)
            self._closing.append(self._receiver.close)
        self._receiver.send(calls)


def _sources(engine: Engine, content: ContentStore) -> "Mapping[ExportKind, ExportSource]":
    # Here, because models and views take long to import, and most runs find nothing to make.
    from shared.api.export_sources import sources_of  # noqa: PLC0415
    from shared.services.audit import AuditService  # noqa: PLC0415
    from shared.services.costs import CostService  # noqa: PLC0415
    from shared.stores.sql.cost_store import SqlCostStore  # noqa: PLC0415

    return sources_of(AuditService(store=SqlAuditStore(engine), content=content), CostService(SqlCostStore(engine)))


def _times(settings: Settings) -> ExportTimes:
    exports = settings.exports
    return ExportTimes(most=timedelta(hours=exports.hours), kept=timedelta(days=exports.days))


def _files(settings: Settings, closing: _Closing) -> "ExportFiles | None":
    exports = settings.exports
    if exports.folder is not None:
        from shared.stores.folder import FolderExportFiles  # noqa: PLC0415  # on a laptop alone

        return FolderExportFiles(exports.folder)
    if not exports.url and exports.connection_string is None:
        return None
    from shared.stores.blob import BlobExportFiles, connected  # noqa: PLC0415  # heavy

    account = ClaimAccount(url=exports.url, connection_string=exports.connection_string)
    files = BlobExportFiles(partial(connected, account), exports.container)
    closing.append(files.close)
    return files
