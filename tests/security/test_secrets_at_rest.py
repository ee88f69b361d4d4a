"""Whatever secret stands wherever in an event: nothing that is stored holds it."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shared.domain.delivery import NO_LIMIT
from shared.domain.redaction import redacted
from shared.services.claim_checks import ClaimCheck
from shared.services.ingest import ingest
from shared.sources import read_event
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.claims import MemoryBodies, claiming
from tests.builders.databases import new_sqlite
from tests.builders.event_stream import an_event_stream
from tests.builders.secrets import PLACES, QUERIES, URLS, Form, Place, all_that_is_stored, forms

_LEAST = 8
"""So many characters of a secret side by side would help somebody."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def kept(stored: bytes, planted: list[Form]) -> list[str]:
    """Return the names of the forms whose secrets stand in what is stored, in any encoding of ours."""
    decoded = [base64.b64decode(found[: len(found) // 4 * 4]) for found in re.findall(rb"[A-Za-z0-9+/]{24,}", stored)]
    wide = stored.replace(b"\x00", b"")
    everything = b"\n".join([stored, wide, *decoded])
    return [
        form.name
        for form in planted
        for secret in form.secrets
        if any(secret[at : at + _LEAST].encode() in everything for at in range(0, len(secret) - _LEAST + 1, _LEAST))
    ]


def a_call(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_no_store_holds_any_secret_that_stands_in(place: Place, engine: Engine) -> None:
    planted = [form for form in forms(PLACES.index(place)) if isinstance(form.value, str) or not place.texts_only]
    bodies: list[bytes] = []
    for number, form in enumerate(planted):
        made = place.event(a_call(number), form)
        bodies += made if isinstance(made, list) else [made]

    outcome = ingest(
        events.deliveries(*bodies), ledger=SqlLedger(engine), content=SqlContentStore(engine), limit=NO_LIMIT
    )

    assert outcome.received == len(bodies)
    assert kept(all_that_is_stored(engine), planted) == []
    # What stands in no event alone, or in base64 inside bytes, is taken out where it is read, and not counted.
    uncounted = ("parts", "headers", "binary")
    assert outcome.secrets >= len(planted) or any(word in place.name for word in uncounted)


@pytest.mark.parametrize("source", URLS)
def test_no_store_holds_a_secret_in_the_query_of_a_url_of(source: str, engine: Engine) -> None:
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    planted = [
        Form(f"{query} {before}", "", (hashlib.sha256(f"{before}{query}".encode()).hexdigest()[:24],))
        for before in ("", "alt=sse&")
        for query in QUERIES
    ]
    bodies = [
        URLS[source](a_call(number), f"{path}?{form.name.partition(' ')[2]}{query.format(form.secrets[0])}&b=2")
        for number, (form, query) in enumerate(zip(planted, QUERIES * 2, strict=True))
    ]

    ingest(events.deliveries(*bodies), ledger=SqlLedger(engine), content=SqlContentStore(engine), limit=NO_LIMIT)

    assert kept(all_that_is_stored(engine), planted) == []


def test_no_store_holds_a_secret_of_a_claimed_body(engine: Engine) -> None:
    planted = forms(77)
    blobs = MemoryBodies()
    asked = [{"messages": [{"role": "user", "content": form.text}]} for form in planted]
    for number, body in enumerate(asked):
        blobs.upload(f"b{number}", body)
    claims = [claiming(a_call(number), f"b{number}", body) for number, body in enumerate(asked)]

    ingest(
        events.deliveries(*claims),
        ledger=SqlLedger(engine),
        content=SqlContentStore(engine),
        claims=ClaimCheck(blobs, largest=1024 * 1024),
    )

    assert kept(all_that_is_stored(engine), planted) == []


def test_what_is_kept_without_its_secret_is_still_read(engine: Engine) -> None:
    body = {"messages": [{"role": "user", "content": "Use sk-proj-abcdefghij0123456789abcd please."}]}

    ingest(
        events.deliveries(events.a_request(body=body), events.a_response()),
        ledger=SqlLedger(engine),
        content=SqlContentStore(engine),
    )

    stored = all_that_is_stored(engine)
    assert b"Use [removed] please." in stored
    assert b"sk-proj" not in stored


def test_an_event_delivered_again_with_a_secret_in_it_is_the_same_event(engine: Engine) -> None:
    batch = [events.a_request(trace={"api-key": "abcdef123456"}), events.a_response()]
    for first in (0, 10):
        outcome = ingest(
            events.deliveries(*batch, first=first), ledger=SqlLedger(engine), content=SqlContentStore(engine)
        )

    assert (outcome.stored, outcome.duplicate) == (0, 2)


@pytest.mark.parametrize("form", forms(5), ids=lambda form: form.name)
def test_an_event_stays_what_it_is_without_its_secret(form: Form) -> None:
    body = events.a_request(trace=form.value)

    reading = read_event(body, events.ENQUEUED)

    assert json.loads(redacted(body))["body"] == json.loads(body)["body"]
    assert reading.fragments[0].facts["deployment"] == "chat"
    assert reading.removed


def test_a_binary_stream_with_a_secret_in_it_is_read_to_its_end(engine: Engine) -> None:
    told = ("Use ", "sk-proj-abcdefghij0123456789abcd", " please.")
    parts = [{"delta": {"text": text}, "contentBlockIndex": 0} for text in told]
    stream = an_event_stream([("contentBlockDelta", part) for part in parts])
    encoded = base64.b64encode(stream).decode()
    url = "/model/amazon.nova-lite-v1%3A0/converse-stream"
    answer = events.a_response(body=None, bodyBase64=encoded, contentType="application/vnd.amazon.eventstream")

    ingest(
        events.deliveries(events.a_request(url=url), answer), ledger=SqlLedger(engine), content=SqlContentStore(engine)
    )

    stored = all_that_is_stored(engine)
    assert b"Use [removed] please." in stored
    assert b"sk-proj" not in stored
