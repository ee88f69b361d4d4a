"""Documents in the embedded content store, packed with and without a dictionary."""

from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StoreRefusedError
from shared.stores.ports import ContentDocument
from shared.stores.sql import tables
from shared.stores.sql.packing import NEWEST, packed, unpacked
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.builders.ledgers import Store


def a_packed(body: bytes) -> bytes:
    ((_, _, row),) = packed([ContentDocument("call-1", "Q:1", body)])
    return row


@given(st.binary(max_size=5_000))
def test_any_document_comes_back_as_it_was(body: bytes) -> None:
    assert unpacked(a_packed(body)) == body


def test_a_row_names_the_dictionary_that_it_was_made_with() -> None:
    assert zstandard.get_frame_parameters(a_packed(events.a_request())).dict_id == NEWEST


def test_a_document_of_before_there_were_dictionaries_is_read(tmp_path: Path) -> None:
    store = Store(new_sqlite(tmp_path))
    old = zstandard.ZstdCompressor(level=1).compress(b"what somebody said")
    with store.engine.begin() as connection:
        connection.execute(tables.content.insert().values(interaction_id="call-1", document="Q:1", body=old))

    assert [one.body for one in store.content.get(["call-1"])["call-1"]] == [b"what somebody said"]
    store.engine.dispose()


def test_a_document_of_a_dictionary_to_come_is_refused_by_its_number() -> None:
    newer = zstandard.train_dictionary(4_096, [events.a_request(f"call-{n}") for n in range(500)], dict_id=77)
    row = zstandard.ZstdCompressor(dict_data=newer).compress(events.a_request())

    with pytest.raises(StoreRefusedError, match="dictionary 77"):
        unpacked(row)


def test_a_small_event_takes_a_third_less_than_without_a_dictionary() -> None:
    body = events.a_response()

    assert len(a_packed(body)) < len(zstandard.compress(body)) * 2 / 3
