"""Which witness is believed about content, and where ingested events are."""

import logging
from dataclasses import asdict
from pathlib import Path

import pytest

from shared.domain.balance import sum_of
from shared.domain.words import query_of
from shared.errors import NotFoundError
from shared.questions import InteractionFilter
from shared.services.audit import AuditService, Reader
from shared.services.content import best_content
from shared.services.ingest import ingest
from shared.stores.ports import ContentDocument
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders.databases import new_sqlite
from tests.builders.events import (
    a_request,
    a_response,
    an_enterprise_request,
    an_enterprise_response,
    deliveries,
    poison,
)

_AT = "2026-03-02T09:30:00.000Z"
_READER = Reader("ada", "/test")


def documents(*bodies: tuple[str, bytes]) -> list[ContentDocument]:
    return [ContentDocument("call-1", key, body) for key, body in bodies]


def said(text: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}]}


def test_the_better_witness_wins_whatever_the_order_of_documents() -> None:
    gateway = ("Q:1", a_request(body=said("from the gateway")))
    logged = ("b:1", an_enterprise_request("call-1"))

    for kept in (documents(gateway, logged), documents(logged, gateway)):
        assert best_content("call-1", kept, _AT).prompt == "from the gateway"


def test_each_slot_has_its_own_best_witness() -> None:
    kept = documents(("Q:1", a_request()), ("a:1", an_enterprise_response("call-1")))

    content = best_content("call-1", kept, _AT)

    assert content.prompt == "What is two and two?"
    assert content.completion == "4"
    assert content.request is not None
    assert content.response is not None


def test_between_equal_witnesses_the_lowest_document_wins() -> None:
    kept = documents(("Q:1", a_request(body=said("first"))), ("Q:2", a_request(body=said("second"))))

    assert best_content("call-1", kept, _AT).prompt == "first"


def test_what_a_document_says_of_another_interaction_is_passed_over() -> None:
    assert best_content("call-1", documents(("Q:1", a_request("call-2"))), _AT).prompt is None


def test_a_document_that_is_not_understood_any_more_does_not_hide_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        content = best_content("call-1", documents(("Q:0", poison()), ("Q:1", a_request())), _AT)

    assert content.prompt == "What is two and two?"
    assert "content.unreadable interaction=call-1 document=Q:0" in caplog.text


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("/openai/v1/audio/transcriptions", 200, "Hello.\n"),
        ("/openai/v1/audio/transcriptions", 502, None),
        ("/openai/v1/files/file-1/content", 200, None),
    ],
)
def test_an_answer_that_is_only_a_text_is_the_completion_of_a_transcription(
    url: str, status: int, text: str | None
) -> None:
    asked = a_request(url=url, operationId=None, body={"model": "whisper-1"})
    kept = documents(("Q:1", asked), ("R:1", a_response(status=status, body="Hello.\n", backendUrl=None)))

    content = best_content("call-1", kept, _AT)

    assert content.completion == text
    assert content.response == "Hello.\n"


def test_words_may_be_spread_over_prompt_and_completion() -> None:
    kept = documents(("Q:1", a_request()), ("R:1", a_response()))

    content = best_content("call-1", kept, _AT)

    assert query_of("two four").matches(content.prompt, content.completion)
    assert not query_of("two five").matches(content.prompt, content.completion)


def test_ingested_events_are_found_read_and_balanced(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    content = SqlContentStore(engine)
    audit = AuditService(store=SqlAuditStore(engine), content=content)
    batch = deliveries(a_request("done"), a_response("done"), a_request("waits"), poison(), a_request("done"))
    for _ in range(2):
        ingest(batch, ledger=SqlLedger(engine), content=content)

    page = audit.interactions(InteractionFilter(), after=None, limit=10, reader=None)
    (balance,) = audit.balance()

    assert {row["id"]: row["state"] for row in page.rows} == {"done": "complete", "waits": "pending"}
    assert audit.content_of(" done ", reader=_READER).completion == "Four."
    assert asdict(sum_of([balance])) == {
        "received": 10,
        "stored": 2,
        "duplicate": 6,
        "pending": 1,
        "skipped": 0,
        "quarantined": 1,
    }
    assert balance.last_sequence == 4
    engine.dispose()


@pytest.mark.parametrize("identifier", ["nobody", " ", "x" * 129, "a\0b"])
def test_an_id_that_no_event_can_have_is_unknown(tmp_path: Path, identifier: str) -> None:
    engine = new_sqlite(tmp_path)
    audit = AuditService(store=SqlAuditStore(engine), content=SqlContentStore(engine))

    with pytest.raises(NotFoundError):
        audit.interaction(identifier, reader=None)
    engine.dispose()
