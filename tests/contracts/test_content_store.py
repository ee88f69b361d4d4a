"""What every content store does."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.stores.ports import ContentDocument, ContentStore
from tests.builders.content_stores import CONTENT_STORES, content_store

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture(params=CONTENT_STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContentStore]:
    emulator = request.getfixturevalue("cosmos") if request.param == "cosmos emulator" else None
    with content_store(request.param, tmp_path, emulator) as store:
        yield store


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


def test_a_store_that_answers_passes_its_check(store: ContentStore) -> None:
    store.check()


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


@pytest.mark.parametrize("size", [1, 1024, 1025, 786_432, 786_433, 5_000_000])
def test_a_document_of_any_size_comes_back_byte_for_byte_and_goes_whole(store: ContentStore, size: int) -> None:
    body = random.Random(size).randbytes(size)
    store.put([ContentDocument("call-1", "small", b"x"), ContentDocument("call-1", "Q:1", body)])

    store.put([ContentDocument("call-1", "Q:1", body)])
    found = store.get(["call-1"])["call-1"]
    store.drop([("call-1", "Q:1")])

    assert found == [ContentDocument("call-1", "Q:1", body), ContentDocument("call-1", "small", b"x")]
    assert store.get(["call-1"])["call-1"] == [ContentDocument("call-1", "small", b"x")]


@pytest.mark.parametrize("name", ["call 1/2?#%", "Grüße \N{GRINNING FACE}", '"', "c" * 128])
def test_an_interaction_may_have_any_id(store: ContentStore, name: str) -> None:
    store.put([ContentDocument(name, "Q:0f+Q.3.7.u", b"x"), ContentDocument(name, "aside:0f", b"y")])

    found = store.get([name, "call"])

    assert {key: [one.body for one in documents] for key, documents in found.items()} == {name: [b"x", b"y"]}


def test_many_documents_go_at_once(store: ContentStore) -> None:
    documents = [ContentDocument(f"call-{number // 2}", f"Q:{number % 2}", b"%d" % number) for number in range(60)]

    store.put(documents)

    calls = [f"call-{number}" for number in range(30)]
    found = store.get(calls)
    assert [one for call in calls for one in found[call]] == documents
