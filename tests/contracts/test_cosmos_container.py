"""What a container of Cosmos DB does: the one in memory is as good as the emulator, where that can judge."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.stores.cosmos import Container
from tests.builders.content_stores import emulated_container
from tests.builders.cosmos import MemoryContainer

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

ALL = "SELECT * FROM c WHERE c.interactionId = @id"
NAMED = "SELECT c.id FROM c WHERE c.interactionId = @id AND ARRAY_CONTAINS(@documents, c.document)"


@pytest.fixture(params=["memory", "emulator"])
def container(request: pytest.FixtureRequest) -> Iterator[Container]:
    if request.param == "memory":
        yield MemoryContainer()
    else:
        yield emulated_container(request.getfixturevalue("cosmos"))


def an_item(name: str, key: str = "call-1", **changes: Any) -> dict[str, Any]:
    return {"id": name, "interactionId": key, "document": name, "text": "Hi", **changes}


def create(container: Container, *items: dict[str, Any]) -> None:
    for item in items:
        container.create_item(item, no_response=True)


def found(container: Container, key: str = "call-1") -> list[dict[str, Any]]:
    items = container.query_items(ALL, parameters=[{"name": "@id", "value": key}], partition_key=key)
    own = [{name: value for name, value in item.items() if not name.startswith("_")} for item in items]
    return sorted(own, key=lambda item: str(item["id"]))


def test_an_item_comes_back_as_it_was_written(container: Container) -> None:
    item = an_item("Q:1+Q.3.7.u", key="call/é \N{GRINNING FACE}", text='"\\\x00\n', chunks=["a~0"], ttl=60)

    create(container, item)

    assert found(container, "call/é \N{GRINNING FACE}") == [item]


def test_an_id_is_taken_once_in_its_partition_and_free_in_others(container: Container) -> None:
    create(container, an_item("a"), an_item("a", key="call-2"))

    with pytest.raises(ResourceExistsError):
        create(container, an_item("a", text="other"))

    assert found(container) == [an_item("a")]


def test_a_query_sees_one_partition_and_what_it_names(container: Container) -> None:
    create(container, an_item("a"), an_item("b"), an_item("c"), an_item("a", key="call-2"))

    parameters: list[dict[str, object]] = [
        {"name": "@id", "value": "call-1"},
        {"name": "@documents", "value": ["a", "c", "never"]},
    ]
    named = list(container.query_items(NAMED, parameters=parameters, partition_key="call-1"))

    assert sorted(item["id"] for item in named) == ["a", "c"]
    assert [set(item) for item in named] == [{"id"}] * 2


def test_a_deleted_item_is_gone_and_cannot_be_deleted_again(container: Container) -> None:
    create(container, an_item("a"), an_item("b"))
    container.delete_item("a", partition_key="call-1")

    with pytest.raises(ResourceNotFoundError):
        container.delete_item("a", partition_key="call-1")

    assert [item["id"] for item in found(container)] == ["b"]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a?b", "a#b"])
def test_an_id_with_a_character_that_paths_need_is_refused(container: Container, name: str) -> None:
    with pytest.raises(ValueError, match="illegal"):
        create(container, an_item(name))
