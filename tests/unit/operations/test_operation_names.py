"""Ids and display names of published operations, in every spelling."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.interaction import OPERATIONS, Facts
from shared.domain.unknown_words import FIELD
from shared.operations.operation_names import note_unknown_operation, operation_of_id, published_names
from tests.builders.recordings import CORPUS

PUBLISHED = published_names()
VECTORS = (
    "Get a vector representation of a given input that can be easily consumed by"
    " machine learning models and algorithms."
)
_entries = st.sampled_from(PUBLISHED)


def _imported(name: str) -> str:
    """Return an id as API Management writes it when it imports a specification."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:76]


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _meant(operation: str) -> str | None:
    return None if operation == "other" else operation


def test_the_table_holds_each_name_once_under_an_operation_of_ours() -> None:
    letters = [_bare(name) for _, name in PUBLISHED]

    assert sorted(PUBLISHED) == PUBLISHED
    assert len(set(letters)) == len(letters) > 600
    # At other vendors the path tells: their operation ids are wildcards.
    theirs = {"messages", "generateContent", "converse", "invoke", "videos"}
    assert {operation for operation, _ in PUBLISHED} == set(OPERATIONS) - theirs


@pytest.mark.parametrize(("operation", "name"), PUBLISHED)
def test_every_published_name_is_known_as_it_is_and_as_it_is_imported(operation: str, name: str) -> None:
    spellings = [name, name.upper(), name.replace("_", "-"), name.replace(" ", "_"), _imported(name)]

    assert {operation_of_id(spelling) for spelling in spellings} == {_meant(operation)}
    assert _trace(name) == {}


@given(_entries, st.sampled_from(["-1", "-2", "-67f0c1a2b3d4e5f60718293a", "-66"]))
def test_any_published_name_is_known_with_the_suffix_of_a_second_one(entry: tuple[str, str], suffix: str) -> None:
    operation, name = entry

    assert operation_of_id(_imported(name) + suffix) == _meant(operation)


@given(_entries, st.integers(40, 300))
def test_any_name_that_is_cut_means_what_it_is_the_beginning_of_or_nothing(entry: tuple[str, str], length: int) -> None:
    operation, name = entry
    beginning = _bare(name[:length])

    found = operation_of_id(name[:length])

    meant = {_meant(other) for other, told in PUBLISHED if _bare(told).startswith(beginning)}
    assert _meant(operation) in meant
    assert found in meant or (found is None and len(meant) > 1)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        (VECTORS, "embeddings"),
        ("Responses_Create", "responses"),
        ("post-responses", "responses"),
        ("post-deployments-deployment-id-chat-completions", "chat.completions"),
        ("get-threads-thread-id-runs-run-id-steps", "threads.runs.steps"),
        ("post-vector-stores", "vector_stores"),
        ("Team A: chat completions (streamed)", "chat.completions"),
        ("getChatCompletions", "chat.completions"),
        ("GetAzureBatchImageGenerationOperationStatus", "images.generations"),
    ],
)
def test_a_name_of_anybodys_making_means_what_it_can_only_mean(name: str, operation: str) -> None:
    assert operation_of_id(name) == operation


@pytest.mark.parametrize(
    "name",
    ["SendMessage", "Publish a message", "GetModelQuota", "Run report", "Analyze file", "batchReplay", "health", "op"],
)
def test_an_unknown_name_means_nothing_and_leaves_a_trace(name: str) -> None:
    word = name if re.fullmatch("[A-Za-z]+", name) else "?"

    assert operation_of_id(name) is None
    assert _trace(name) == {FIELD: f'["operation:{word}"]'}


def test_of_several_names_one_that_is_known_is_enough() -> None:
    facts: Facts = {}

    note_unknown_operation(facts, "op-17", "Creates a model response.")
    note_unknown_operation(facts, None, "", 5)

    assert facts == {}


def test_every_id_and_title_of_the_specifications_examples_is_in_the_table() -> None:
    folder = CORPUS / "azure-rest-api-specs"
    if not folder.is_dir():
        pytest.skip("the corpus of recordings is not beside the checkout")
    names = {name for _, name in PUBLISHED}

    examples = [json.loads(path.read_bytes()) for path in sorted(folder.glob("inference.*.json"))]
    told = {one[member] for one in examples for member in ("operationId", "title") if member in one}

    assert len(told) >= 5
    assert told - names == set()


def _trace(name: str) -> Facts:
    facts: Facts = {}
    note_unknown_operation(facts, name)
    return facts
