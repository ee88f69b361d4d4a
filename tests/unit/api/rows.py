"""A ledger with rows in it, and the audit API over it."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.engine import Engine

from shared.api.app import create_app
from shared.api.export_sources import sources_of
from shared.services.audit import AuditService
from shared.services.budgets import BudgetService
from shared.services.capacity import CapacityService
from shared.services.costs import CostService
from shared.services.export_making import ExportMaker
from shared.services.exports import ExportService, ExportTimes
from shared.services.payers import PayerService
from shared.services.prices import PriceService
from shared.services.quarantine import QuarantineService
from shared.services.restatements import RestatementService
from shared.settings import Settings
from shared.stores.export_ports import ExportFiles
from shared.stores.ports import ContentDocument, Row
from shared.stores.sql import tables
from shared.stores.sql.alerts import SqlAlerts
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.budgets import SqlBudgets
from shared.stores.sql.capacity import SqlCapacity
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.engine import writing
from shared.stores.sql.exports import SqlExports
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.quarantine import SqlQuarantine
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.sql.usage_sums import Differences, Groups, group_of

__all__ = ["SETTINGS", "Client", "Ledger", "a_usage_row", "an_interaction", "client_of"]

SETTINGS = Settings(database_url="sqlite://", auth="local", in_azure=False)


def an_interaction(interaction_id: str = "call-1", **changes: Any) -> Row:
    """Return a row of the least that an interaction has, and `changes`."""
    return {
        "id": interaction_id,
        "occurred_at": "2026-03-02T09:30:00.123Z",
        "state": "complete",
        "usage_provenance": "missing",
        "sources": '["native"]',
        "parts": '["Q:1"]',
        "field_sources": "Q",
        "revision": 0,
    } | changes


def a_usage_row(interval_start: str = "2026-03-02T09:00:00.000Z", /, **changes: Any) -> Row:
    """Return a rollup row of one request with 10 + 5 tokens, and `changes`."""
    sums = dict.fromkeys(tables.MEASURES, 0) | {
        "requests": 1,
        "token_requests": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
    }
    return {"interval_start": interval_start} | sums | changes


class Ledger:
    """Puts rows where ingest would."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def has(self, *rows: Row) -> None:
        """Insert interactions."""
        self._insert(tables.interaction, rows)

    def used(self, *rows: Row) -> None:
        """Add to the rollups what `a_usage_row` returns."""
        differences = Differences()
        for row in rows:
            amount = row.get("amount")
            money = (0, Decimal(0)) if amount is None else (1, amount)
            group = group_of(dict.fromkeys(tables.DIMENSIONS) | row)
            numbers = (*(row[name] or 0 for name in tables.MEASURES), *money)
            differences.add(row["interval_start"], group, numbers)
        with writing(self.engine) as connection:
            differences.write(connection, Groups(connection))

    def insert(self, table: sa.Table, *rows: Row) -> None:
        """Insert rows of any table."""
        self._insert(table, rows)

    def says(self, interaction_id: str, documents: Mapping[str, bytes]) -> None:
        """Keep documents of an interaction, by their key."""
        put = [ContentDocument(interaction_id, key, body) for key, body in documents.items()]
        SqlContentStore(self.engine).put(put)

    def reads(self) -> list[tuple[str, str, str]]:
        """Return reader, route and subject of each reading and act that was let through, in order."""
        table = tables.content_read.c
        with self.engine.connect() as connection:
            query = (
                sa.select(table.reader, table.reader_name, table.route, table.subject)
                .where(table.result == "done")
                .order_by(table.id)
            )
            return [
                (row.reader if row.reader_name is None else f"{row.reader} ({row.reader_name})", row.route, row.subject)
                for row in connection.execute(query)
            ]

    def audit(self, **options: Any) -> AuditService:
        """Return the service over this ledger."""
        return AuditService(store=SqlAuditStore(self.engine), content=SqlContentStore(self.engine), **options)

    def quarantine(self) -> QuarantineService:
        """Return the service over this ledger's quarantine."""
        return QuarantineService(
            store=SqlQuarantine(self.engine),
            audit=SqlAuditStore(self.engine),
            ledger=SqlLedger(self.engine),
            content=SqlContentStore(self.engine),
        )

    def prices(self, **options: Any) -> PriceService:
        """Return the service over this ledger's price book."""
        return PriceService(SqlPrices(self.engine), **options)

    def restatements(self) -> RestatementService:
        """Return the service over this ledger's restatements."""
        return RestatementService(SqlRestatements(self.engine))

    def payers(self) -> PayerService:
        """Return the service over this ledger's assignments."""
        return PayerService(SqlAssignments(self.engine))

    def budgets(self, **options: Any) -> BudgetService:
        """Return the service over this ledger's budgets."""
        return BudgetService(SqlBudgets(self.engine), SqlAlerts(self.engine), **options)

    def capacity(self) -> CapacityService:
        """Return the service over this ledger's hours of capacity."""
        return CapacityService(SqlCapacity(self.engine))

    def costs(self, **options: Any) -> CostService:
        """Return the service over this ledger's costs."""
        return CostService(SqlCostStore(self.engine), **options)

    def exports(self, files: ExportFiles) -> ExportService:
        """Return the service over this ledger's exports."""
        return ExportService(SqlExports(self.engine), files, SqlAuditStore(self.engine), times=ExportTimes())

    def make_exports(self, files: ExportFiles, **options: Any) -> int:
        """Run what makes exports."""
        log = SqlAuditStore(self.engine)
        sources = partial(sources_of, self.audit(), self.costs())
        return ExportMaker(SqlExports(self.engine), files, log, sources, times=ExportTimes(), **options).run()

    def _insert(self, table: sa.Table, rows: tuple[Row, ...]) -> None:
        with self.engine.begin() as connection:
            for row in rows:
                connection.execute(sa.insert(table).values(row))


class Client:
    """Sends requests to the API in this process."""

    def __init__(self, app: FastAPI, address: str, base_url: str) -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 50_000))
        self._base_url = base_url

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.send("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to a POST."""
        return self.send("POST", url, **options)

    def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Return the answer to any request."""

        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base_url) as client:
                return await client.request(method, url, **options)

        return asyncio.run(answer())


def client_of(
    audit: AuditService,
    quarantine: QuarantineService | None = None,
    *,
    address: str = "127.0.0.1",
    base_url: str = "http://localhost",
    settings: Settings = SETTINGS,
    **services: Any,
) -> Client:
    """Return a client of the API, as if it called from `address`; `services` are those of `create_app`."""
    # Tests that ask nothing of a service leave it out.
    app = create_app(audit, settings, quarantine, **services)  # type: ignore[arg-type]
    return Client(app, address, base_url)
