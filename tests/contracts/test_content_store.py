"""What every content store does."""

import pytest
from sqlalchemy.engine import Engine

from shared.stores.ports import ContentDocument, ContentStore
from shared.stores.sql.content import SqlContentStore


@pytest.fixture
def store(engine: Engine) -> ContentStore:
    return SqlContentStore(engine)


def test_a_document_comes_back_byte_for_byte(store: ContentStore) -> None:
    body = bytes(range(256)) * 1000

    store.put([ContentDocument("call-1", "Q:1", body)])

    assert store.get(["call-1"])["call-1"] == [ContentDocument("call-1", "Q:1", body)]


def test_documents_come_back_by_interaction_in_the_order_of_their_names(store: ContentStore) -> None:
    store.put([ContentDocument("call-1", name, b"x") for name in ("b", "a", "B")])
    store.put([ContentDocument("call-2", "a", b"y")])

    found = store.get(["call-2", "call-1"])

    assert [document.document for document in found["call-1"]] == ["B", "a", "b"]
    assert [document.body for document in found["call-2"]] == [b"y"]


def test_ids_that_differ_in_case_are_different_interactions(store: ContentStore) -> None:
    store.put([ContentDocument("call-A", "a", b"upper"), ContentDocument("call-a", "a", b"lower")])

    assert store.get(["call-A"])["call-A"][0].body == b"upper"
    assert store.get(["call-a"])["call-a"][0].body == b"lower"


def test_putting_a_document_again_leaves_it_as_it_is(store: ContentStore) -> None:
    store.put([ContentDocument("call-1", "a", b"first")])
    store.put([ContentDocument("call-1", "a", b"second"), ContentDocument("call-1", "b", b"new")])

    assert [document.body for document in store.get(["call-1"])["call-1"]] == [b"first", b"new"]


def test_a_document_that_is_put_twice_in_one_call_is_kept_once(store: ContentStore) -> None:
    store.put([ContentDocument("call-1", "a", b"x"), ContentDocument("call-1", "a", b"x")])

    assert [document.body for document in store.get(["call-1"])["call-1"]] == [b"x"]


def test_an_unknown_interaction_has_no_documents(store: ContentStore) -> None:
    assert "nobody" not in store.get(["nobody"])
    assert not store.get([])


def test_an_empty_document_is_a_document(store: ContentStore) -> None:
    store.put([ContentDocument("call-1", "a", b"")])

    assert store.get(["call-1"])["call-1"][0].body == b""


def test_a_dropped_document_is_gone_and_may_be_dropped_again(store: ContentStore) -> None:
    store.put([ContentDocument("call-1", name, b"x") for name in ("a", "b")] + [ContentDocument("call-2", "a", b"y")])

    store.drop([("call-1", "a"), ("call-1", "never there")])
    store.drop([("call-1", "a")])
    store.drop([])

    found = store.get(["call-1", "call-2"])
    assert {name: [one.document for one in documents] for name, documents in found.items()} == {
        "call-1": ["b"],
        "call-2": ["a"],
    }
