"""Exports are made in parts: whoever stops them, each row is in one part, once, and a part never changes."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.exports import Export, ExportFormat, ExportKind, ExportState
from shared.domain.reach import Reach
from shared.errors import NotFoundError, NotPossibleError, StoreUnavailableError
from shared.services.export_files import Column, ColumnKind, csv_cell, file_of
from shared.services.export_making import ExportMaker, ExportRows
from shared.services.exports import ExportService, ExportTimes
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.exports import SqlExports
from tests.builders.databases import new_sqlite
from tests.builders.exports import MemoryFiles, an_export
from tests.unit.api.rows import Ledger

_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_ADA = an_export().reader
_COLUMNS = [Column(("n",), ColumnKind.INTEGER), Column(("text",), ColumnKind.TEXT)]


class Clock:
    def __init__(self) -> None:
        self.now = _NOW

    def __call__(self) -> datetime:
        return self.now


class Numbers:
    """A source of as many rows as it is given, ten at a time; what it tells changes with each page."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pages = 0

    def columns(self, _export: Export) -> list[Column]:
        return _COLUMNS

    def rows(self, _export: Export, after: tuple[str, ...] | None) -> ExportRows:
        self.pages += 1
        start = 0 if after is None else int(after[0]) + 1
        end = min(start + 10, self.number)
        items = [{"n": n, "text": f"={n} page {self.pages}"} for n in range(start, end)]
        ids = [str(n) for n in range(start, end)]
        return ExportRows(items, (str(end - 1),) if end < self.number else None, ids)


class Killed(BaseException):
    """No error of the program: it is gone."""


class Mortal(MemoryFiles):
    """Files whose writer is killed after so many of its acts, before or behind one."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    def keep(self, name: str, body: bytes) -> bool:
        self._die()
        kept = super().keep(name, body)
        self._die()
        return kept

    def _die(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    yield Ledger(engine)
    engine.dispose()


class Workshop:
    """Everything about exports, over one ledger."""

    def __init__(self, ledger: Ledger, number: int = 95) -> None:
        self.files = Mortal()
        self.clock = Clock()
        self.source = Numbers(number)
        self.store = SqlExports(ledger.engine)
        self.ledger = ledger
        log, times = SqlAuditStore(ledger.engine), ExportTimes()
        self.service = ExportService(self.store, self.files, log, times=times, now=self.clock)
        self.maker = ExportMaker(
            self.store,
            self.files,
            log,
            lambda: dict.fromkeys(ExportKind, self.source),
            times=times,
            part_bytes=300,
            now=self.clock,
        )

    def ask(self, form: ExportFormat = ExportFormat.NDJSON) -> Export:
        return self.service.ask(ExportKind.USAGE, form, {}, reader=_ADA, reaches={})

    def known(self, export: Export) -> Export:
        return self.service.export(export.id, reader=_ADA)

    def bodies(self, export: Export) -> list[bytes]:
        known = self.known(export)
        return [b"".join(self.service.part(known, number, reader=_ADA)[1]) for number in range(1, known.part_count + 1)]

    def numbers(self, export: Export) -> list[int]:
        return [json.loads(line)["n"] for body in self.bodies(export) for line in body.splitlines()]


def test_an_export_is_made_in_parts_that_hold_every_row_once(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()

    made = shop.maker.run()

    known = shop.known(export)
    assert (known.state, known.part_count, known.row_count) == (ExportState.DONE, made, 95)
    assert made > 3
    assert shop.numbers(export) == list(range(95))


def test_the_manifest_says_what_was_wanted_and_what_each_part_is(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()
    shop.maker.run()

    manifest = json.loads(shop.service.manifest(shop.known(export)))

    bodies = shop.bodies(export)
    assert [part["sha256"] for part in manifest["parts"]] == [hashlib.sha256(body).hexdigest() for body in bodies]
    assert [part["bytes"] for part in manifest["parts"]] == list(map(len, bodies))
    assert (manifest["rows"], manifest["wantedBy"], manifest["purpose"]) == (95, "ada", "case 7")
    assert all(shop.files.files[part["file"]] == body for part, body in zip(manifest["parts"], bodies, strict=True))


@pytest.mark.parametrize("step", range(22))
def test_whoever_is_killed_at_any_moment_leaves_what_the_next_run_takes_up(ledger: Ledger, step: int) -> None:
    shop = Workshop(ledger)
    export = shop.ask()
    shop.files.left = step
    with pytest.raises(Killed):
        shop.maker.run()
    before = {name: body for name, body in shop.files.files.items() if name.endswith(".json")}

    shop.maker.run()

    assert shop.numbers(export) == list(range(95))
    assert all(shop.files.files[name] == body for name, body in before.items())
    hashes = [part["sha256"] for part in json.loads(shop.service.manifest(shop.known(export)))["parts"]]
    assert hashes == [hashlib.sha256(body).hexdigest() for body in shop.bodies(export)]


def test_two_who_make_the_same_part_end_with_one(ledger: Ledger) -> None:
    shop, other = Workshop(ledger), Workshop(ledger)
    other.files.files = shop.files.files
    export = shop.ask()
    stale = shop.known(export)
    shop.maker.run()

    # As if it had begun before.
    other.maker._step(stale, files=other.files)

    assert shop.numbers(export) == list(range(95))


def test_an_export_of_nothing_has_one_part(ledger: Ledger) -> None:
    shop = Workshop(ledger, 0)
    export = shop.ask(ExportFormat.CSV)

    shop.maker.run()

    assert shop.bodies(export) == [b"n,text\r\n"]


def test_one_that_is_not_done_in_time_ends_and_its_files_go(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()
    shop.files.left = 10
    with pytest.raises(Killed):
        shop.maker.run()
    shop.clock.now += timedelta(hours=25)

    shop.maker.run()
    failed = shop.known(export)
    shop.clock.now += timedelta(hours=1)
    shop.maker.run()

    assert (failed.state, failed.reason) == (ExportState.FAILED, "it was not done in time: narrow it")
    assert shop.files.files == {}


def test_one_that_is_done_expires(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()
    shop.maker.run()
    done = shop.known(export)
    shop.clock.now += timedelta(days=7)

    shop.maker.run()

    assert done.remove_at == "2026-03-09T09:00:00.000Z"
    assert (shop.known(export).state, shop.files.files) == (ExportState.EXPIRED, {})
    with pytest.raises(NotFoundError):
        shop.service.part(shop.known(export), 1, reader=_ADA)


def test_a_cancelled_one_goes_no_further_and_cannot_be_had(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()

    shop.service.cancel(export.id, reader=_ADA)
    shop.service.cancel(export.id, reader=_ADA)

    assert shop.maker.run() == 0
    assert shop.known(export).state is ExportState.CANCELLED
    with pytest.raises(NotFoundError):
        shop.service.manifest(shop.known(export))


def test_somebody_elses_export_is_not_there(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    export = shop.ask()
    eve = _ADA._replace(id="eve")

    for use in (shop.service.export, shop.service.cancel):
        with pytest.raises(NotFoundError):
            use(export.id, reader=eve)
    assert shop.service.exports(reader=eve, after=None, limit=9).exports == []


def test_asking_each_part_that_is_made_of_texts_and_each_that_is_had_are_recorded(ledger: Ledger) -> None:
    shop = Workshop(ledger, 5)
    export = shop.ask()
    shop.maker.run()

    shop.bodies(export)

    subjects = [subject for _, _, subject in ledger.reads()]
    assert [subject.replace(export.id, "e")[:18] for subject in subjects] == [
        "e usage ndjson", "e makes part 1", "e part 1 sha256=" + subjects[2].partition("sha256=")[2][:2],
    ]  # fmt: skip


def test_nothing_is_made_or_given_out_where_the_record_cannot_be_written(ledger: Ledger) -> None:
    shop = Workshop(ledger)

    class Full:
        def record_access(self, _entry: Any) -> None:
            raise StoreUnavailableError("full")

    export = shop.ask()
    shop.maker._log = Full()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailableError):
        shop.maker.run()

    assert shop.files.files == {}
    assert shop.known(export).state is ExportState.WAITING


def test_one_that_fails_keeps_no_other_waiting(ledger: Ledger) -> None:
    shop = Workshop(ledger)

    class Broken(Numbers):
        def rows(self, _export: Export, _after: tuple[str, ...] | None) -> ExportRows:
            raise StoreUnavailableError("it takes too long")

    shop.maker._sources = lambda: {ExportKind.USAGE: shop.source, ExportKind.CONTENT: Broken(1)}
    broken = shop.service.ask(ExportKind.CONTENT, ExportFormat.CSV, {}, reader=_ADA, reaches={})
    export = shop.ask()

    with pytest.raises(StoreUnavailableError):
        shop.maker.run()

    assert (shop.known(export).state, shop.known(broken).state) == (ExportState.DONE, ExportState.WAITING)


def test_a_reader_has_few_at_one_time_and_none_without_a_place(ledger: Ledger) -> None:
    shop = Workshop(ledger)
    for _ in range(5):
        shop.ask()

    with pytest.raises(NotPossibleError, match="5 exports"):
        shop.ask()
    nowhere = ExportService(shop.store, None, SqlAuditStore(ledger.engine), times=ExportTimes())
    with pytest.raises(NotPossibleError, match="PROMPTLEDGER_EXPORTS"):
        nowhere.ask(ExportKind.USAGE, ExportFormat.CSV, {}, reader=_ADA, reaches={"Usage.Read": Reach()})


@pytest.mark.parametrize("form", list(ExportFormat))
def test_the_same_rows_give_the_same_bytes(form: ExportFormat) -> None:
    items = [{"n": number, "text": f"{number} ä" * 20} for number in range(500)]

    assert file_of(form, _COLUMNS, items) == file_of(form, _COLUMNS, items)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("x")'])
def test_no_text_of_csv_is_a_formula(text: str) -> None:
    body = file_of(ExportFormat.CSV, _COLUMNS, [{"n": -1, "text": text}])

    _, row = csv.reader(io.StringIO(body.decode(), newline=""))
    assert row == ["-1", f"'{text}"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_text_comes_back_from_csv(text: str) -> None:
    body = file_of(ExportFormat.CSV, _COLUMNS, [{"n": 1, "text": text}])

    _, row = csv.reader(io.StringIO(body.decode(), newline=""))
    assert row == ["1", csv_cell(text)]
    assert row[1] in {text, f"'{text}"}


def test_parquet_has_types_and_unknown_is_null(tmp_path: Path) -> None:
    columns = [
        Column(("id",), ColumnKind.TEXT),
        Column(("occurredAt",), ColumnKind.TIME),
        Column(("usage", "inputTokens"), ColumnKind.INTEGER),
        Column(("amount",), ColumnKind.AMOUNT),
        Column(("streamed",), ColumnKind.FLAG),
        Column(("tags",), ColumnKind.TEXT),
    ]
    item = {
        "id": "=1", "occurredAt": "2026-03-02T09:00:00.123Z", "usage": {"inputTokens": 3},
        "amount": orjson.Fragment("0.000000000012"), "streamed": True, "tags": {"a": 1},
    }  # fmt: skip
    file = tmp_path / "x.parquet"
    file.write_bytes(
        file_of(ExportFormat.PARQUET, columns, [item, dict.fromkeys(item), {**item, "id": "x" * 3_000_000}])
    )

    found = duckdb.read_parquet(str(file))

    assert list(map(str, found.types)) == [
        column.kind.value.upper().replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE").replace(", ", ",")
        for column in columns
    ]
    first, second, _ = found.fetchall()
    assert (first[0], first[1].isoformat(), first[2], str(first[3]), first[4], first[5]) == (
        "=1", "2026-03-02T09:00:00.123000+00:00", 3, "1.2E-11", True, '{"a":1}',
    )  # fmt: skip
    assert second == (None,) * 6


def test_an_export_of_interactions_is_no_larger_in_memory_than_a_part(ledger: Ledger) -> None:
    # What bounds it: a page, a part; tests/chaos measures the whole.
    shop = Workshop(ledger, 2_000)
    shop.maker._part_bytes = 1_000
    export = replace(shop.ask())

    shop.maker.run()

    largest = max(len(body) for name, body in shop.files.files.items() if not name.endswith(".json"))
    assert largest < 2_000
    assert shop.known(export).row_count == 2_000
