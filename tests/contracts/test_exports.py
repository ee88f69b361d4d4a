"""What every table of exports, and every place for their files, does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shared.domain.exports import ExportPart, ExportState
from shared.domain.reach import Reach
from shared.errors import StoreUnavailableError
from shared.questions import ListKey
from shared.settings import ClaimAccount
from shared.stores.blob import BlobExportFiles, connected
from shared.stores.export_ports import ExportFiles, ExportStore
from shared.stores.folder import FolderExportFiles
from shared.stores.sql.exports import SqlExports
from tests.builders.exports import WANTED_AT, MemoryFiles, an_export
from tests.parts.servers import Azurite, azurite

_LATER = "2026-03-02T10:00:00.000Z"
_FIRST = ExportPart(1, 2, 3, "ab" * 32, '{"ids":["call-1"]}')
_SECOND = ExportPart(2, 5, 7, "cd" * 32)


@pytest.fixture
def exports(engine: Engine) -> ExportStore:
    return SqlExports(engine)


def test_an_export_comes_back_as_it_was_wanted(exports: ExportStore) -> None:
    wanted = an_export(reaches={"Usage.Read": Reach(("s",), (), ("t", "u"))})

    exports.add_export(wanted)

    assert exports.export("e1") == wanted
    assert exports.export("e2") is None


def test_exports_of_a_reader_are_listed_newest_first_and_nobody_elses(exports: ExportStore) -> None:
    for name, at in (("a", WANTED_AT), ("b", _LATER), ("c", _LATER)):
        exports.add_export(an_export(name, wanted_at=at))
    exports.add_export(an_export("d", reader=an_export().reader._replace(id="Ada")))

    listed = exports.list_exports("ada", after=None, limit=2)

    assert [one.id for one in listed] == ["c", "b"]
    assert [one.id for one in exports.list_exports("ada", after=ListKey(_LATER, "b"), limit=9)] == ["a"]


def test_parts_follow_each_other_and_add_up(exports: ExportStore) -> None:
    exports.add_export(an_export())

    exports.advance_export("e1", _FIRST, ("x", "y"))
    exports.finish_export("e1", _SECOND, at=_LATER, remove_at="2026-03-09T10:00:00.000Z")

    known = exports.export("e1")
    assert known is not None
    assert (known.state, known.part_count, known.row_count, known.byte_count) == (ExportState.DONE, 2, 7, 10)
    assert (known.next_key, known.finished_at) == (("x", "y"), _LATER)
    assert exports.export_parts("e1", limit=9) == [_FIRST, _SECOND]
    assert exports.export_parts("e1", after=1, limit=9) == [_SECOND]


def test_a_part_that_is_known_or_of_an_export_that_has_ended_changes_nothing(exports: ExportStore) -> None:
    exports.add_export(an_export())
    exports.advance_export("e1", _FIRST, ("x",))

    exports.advance_export("e1", _FIRST._replace(row_count=9), ("z",))
    exports.end_export("e1", ExportState.CANCELLED, reason=None, at=_LATER, remove_at=_LATER)
    exports.advance_export("e1", _SECOND, ("z",))
    exports.finish_export("e1", _SECOND, at=_LATER, remove_at=_LATER)

    known = exports.export("e1")
    assert known is not None
    assert (known.state, known.part_count, known.row_count, known.next_key) == (ExportState.CANCELLED, 1, 2, ("x",))
    assert exports.export_parts("e1", limit=9) == [_FIRST]


def test_what_is_not_done_is_made_oldest_first(exports: ExportStore) -> None:
    exports.add_export(an_export("b", wanted_at=_LATER))
    exports.add_export(an_export("a"))
    exports.add_export(an_export("c", reader=an_export().reader._replace(id="eve")))
    exports.end_export("c", ExportState.FAILED, reason="why", at=_LATER, remove_at=_LATER)

    assert [one.id for one in exports.unfinished_exports(limit=9)] == ["a", "b"]
    assert exports.unfinished_exports(reader="eve", limit=9) == []


def test_one_that_is_done_can_be_cancelled_but_fails_no_more(exports: ExportStore) -> None:
    for name in "ab":
        exports.add_export(an_export(name))
        exports.finish_export(name, _FIRST, at=WANTED_AT, remove_at=_LATER)

    exports.end_export("a", ExportState.CANCELLED, reason=None, at=_LATER, remove_at=_LATER)
    exports.end_export("b", ExportState.FAILED, reason="why", at=_LATER, remove_at=_LATER)

    states = [known.state for name in "ab" if (known := exports.export(name))]
    assert states == [ExportState.CANCELLED, ExportState.DONE]


def test_files_are_removed_once_when_they_are_due(exports: ExportStore) -> None:
    exports.add_export(an_export("a"))
    exports.add_export(an_export("b"))
    exports.finish_export("a", _FIRST, at=WANTED_AT, remove_at=_LATER)
    exports.end_export("b", ExportState.CANCELLED, reason=None, at=WANTED_AT, remove_at=_LATER)

    early, due = exports.removable_exports(WANTED_AT, 9), exports.removable_exports(_LATER, 9)
    for one in due:
        exports.forget_files(one.id)

    assert (early, [one.id for one in due]) == ([], ["a", "b"])
    assert exports.removable_exports(_LATER, 9) == []
    states = [known.state for name in "ab" if (known := exports.export(name))]
    assert states == [ExportState.EXPIRED, ExportState.CANCELLED]


def test_any_text_stays_as_it_is(exports: ExportStore) -> None:
    odd = "Grüße 🙂 '\" \\ \x01"
    wanted = an_export(filters={"team": odd})
    wanted = replace(wanted, reader=wanted.reader._replace(purpose=odd, name=odd))

    exports.add_export(wanted)

    assert exports.export("e1") == wanted


@pytest.fixture(scope="module")
def storage() -> Iterator[Azurite]:
    with azurite() as server:
        yield server


@pytest.fixture(params=["memory", "folder", "azurite"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExportFiles]:
    if request.param == "memory":
        yield MemoryFiles()
        return
    if request.param == "folder":
        yield FolderExportFiles(tmp_path / "exports")
        return
    account = ClaimAccount(connection_string=request.getfixturevalue("storage").connection_string)
    container = f"exports-{abs(hash(request.node.name))}"
    with connected(account) as client:
        client.create_container(container)
    store = BlobExportFiles(lambda: connected(account), container)
    yield store
    store.close()


def body_of(files: ExportFiles, name: str) -> bytes | None:
    blocks = files.read(name)
    return None if blocks is None else b"".join(blocks)


def test_the_first_file_of_a_name_stays(files: ExportFiles) -> None:
    large = b"x" * (9 * 1024 * 1024)

    kept = [files.keep("e1/00001-ab.csv", large), files.keep("e1/00001-ab.csv", b"other")]

    assert kept == [True, False]
    assert body_of(files, "e1/00001-ab.csv") == large
    assert body_of(files, "e1/00002.json") is None


def test_an_empty_file_is_one(files: ExportFiles) -> None:
    files.keep("e1/00001.csv", b"")

    assert body_of(files, "e1/00001.csv") == b""


def test_all_files_of_an_export_are_removed_and_no_others(files: ExportFiles) -> None:
    for name in ("e1/a.csv", "e1/b.json", "e12/a.csv"):
        files.keep(name, b"x")

    files.remove("e1")
    files.remove("e1")

    assert [body_of(files, name) for name in ("e1/a.csv", "e1/b.json", "e12/a.csv")] == [None, None, b"x"]


def test_a_container_that_is_not_there_is_told_as_the_stores_fault(storage: Azurite) -> None:
    account = ClaimAccount(connection_string=storage.connection_string)
    store = BlobExportFiles(lambda: connected(account), "nowhere")

    for use in (lambda: store.keep("a/b", b""), lambda: store.read("a/b"), lambda: store.remove("a")):
        with pytest.raises(StoreUnavailableError, match="ContainerNotFound"):
            use()
    store.close()


def test_a_folder_that_cannot_be_written_is_told_as_the_stores_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FolderExportFiles(tmp_path / "file")

    for use in (lambda: store.keep("a/b", b""), lambda: store.read("a/b"), lambda: store.remove("a")):
        with pytest.raises(StoreUnavailableError):
            use()
