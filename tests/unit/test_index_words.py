"""The index of words: what it takes in and lets go, and that a search finds the same with it as without."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.values import utc_of
from shared.domain.words import query_of
from shared.questions import InteractionFilter, ListKey
from shared.services.audit import AuditService, Reader
from shared.services.search import Search, SearchBounds, SearchPage
from shared.services.words import index_words
from shared.stores.ports import Changes, ContentDocument, Row
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.word_search import SearchableWords
from tests.builders.databases import memory_folder, new_sqlite
from tests.builders.events import a_request
from tests.unit.api.rows import an_interaction

_NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
_READER = Reader("ada", "here")


class Words:
    """A ledger with content and an index of words."""

    def __init__(self, folder: Path) -> None:
        self.engine = new_sqlite(folder)
        self.ledger = SqlLedger(self.engine)
        self.content = SqlContentStore(self.engine)
        self.index = SearchableWords(self.engine)
        self.now = _NOW

    def has(self, name: str, text: str, at: str = "2026-03-02T09:30:00.000Z", **facts: object) -> None:
        """Store a call of somebody who asked `text`."""
        self.says(name, text)
        changes = Changes.unbooked()
        changes.new_interactions = [an_interaction(name, occurred_at=at, **facts)]
        self._store(changes)

    def says(self, name: str, text: str, key: str = "Q:1") -> None:
        event = a_request(name, body={"messages": [{"role": "user", "content": text}]})
        self.content.put([ContentDocument(name, key, event)])

    def changes(self, name: str, **facts: object) -> None:
        changes = Changes.unbooked()
        changes.changed_interactions = [self.row(name) | facts]
        self._store(changes)

    def removes(self, name: str) -> None:
        changes = Changes.unbooked()
        changes.removed_interactions = [(name, self.row(name)["revision"])]
        self._store(changes)

    def row(self, name: str) -> Row:
        with self.ledger.transaction() as transaction:
            return transaction.interactions([name])[name]

    def indexes(self) -> int:
        """Run the timer; return how many interactions the index took in."""
        return index_words(index=self.index, content=self.content, now=lambda: self.now)

    def page(self, question: str, after: ListKey | None = None, limit: int = 100, **narrow: Any) -> SearchPage:
        search = Search(SqlAuditStore(self.engine), self.content, self.index)
        return search.page(query_of(question), InteractionFilter(**narrow), after=after, limit=limit)

    def found(self, question: str, **narrow: Any) -> list[str]:
        return [row["id"] for row in self.page(question, **narrow).rows]

    def tables_of_words(self) -> list[str]:
        with self.engine.connect() as connection:
            names = connection.exec_driver_sql("select name from sqlite_master where sql like '%fts5%'").scalars()
            return sorted(names)

    def words_held(self) -> set[str]:
        """Return every word that stands anywhere in the index."""
        held: set[str] = set()
        for name in self.tables_of_words():
            with self.engine.connect() as connection:
                connection.exec_driver_sql(f"create virtual table temp.seen using fts5vocab(main, {name}, 'row')")
                held.update(connection.exec_driver_sql("select term from temp.seen").scalars())
                connection.exec_driver_sql("drop table temp.seen")
        return held

    def _store(self, changes: Changes) -> None:
        with self.ledger.transaction() as transaction:
            transaction.store(changes)


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Words]:
    made = Words(tmp_path)
    yield made
    made.engine.dispose()


def test_a_call_is_found_by_the_index_once_the_timer_ran(words: Words) -> None:
    words.has("a", "tell me of armadillos")
    words.has("b", "tell me of badgers")

    before, ran, after = words.page("armadillos"), words.indexes(), words.page("armadillos")

    assert ran == 2
    assert [row["id"] for row in before.rows] == [row["id"] for row in after.rows] == ["a"]
    assert (before.is_degraded, after.is_degraded) == (True, False)
    assert (before.waiting, after.waiting) == (2, 0)
    assert after.rows[0]["snippet"] == {"part": "prompt", "text": "tell me of armadillos"}


def test_what_came_behind_the_timer_is_told_to_wait(words: Words) -> None:
    words.has("a", "armadillos")
    words.indexes()
    words.has("b", "armadillos")

    page = words.page("armadillos")

    assert [row["id"] for row in page.rows] == ["a"]
    assert (page.is_degraded, page.waiting) == (False, 1)


def test_a_later_part_of_a_call_is_found_too(words: Words) -> None:
    words.has("a", "armadillos")
    words.indexes()
    words.says("a", "badgers", key="B:1")
    words.changes("a", parts='["Q:1", "B:1"]')
    words.indexes()

    with words.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.word_entry)) == 1
    assert words.found("badgers") == ["a"]


def test_a_call_that_moved_is_found_at_its_new_time_once(words: Words) -> None:
    words.has("a", "armadillos")
    words.indexes()

    words.changes("a", occurred_at="2026-02-01T10:00:00.000Z")
    words.indexes()

    assert words.found("armadillos") == ["a"]
    assert words.found("armadillos", occurred_from="2026-03-01T00:00:00.000Z") == []
    assert words.found("armadillos", occurred_before="2026-03-01T00:00:00.000Z") == ["a"]


def test_a_call_that_became_part_of_another_is_found_no_more(words: Words) -> None:
    words.has("a", "armadillos")
    words.indexes()

    words.removes("a")
    words.indexes()

    assert words.found("armadillos") == []
    with words.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.word_entry)) == 0


def test_words_of_erased_content_leave_the_index_within_the_hour(words: Words) -> None:
    words.has("a", "armadillos sleep")
    words.has("b", "badgers sleep")
    words.indexes()

    words.content.drop([("a", "Q:1")])
    gone = words.found("armadillos")
    words.indexes()
    kept = words.words_held()
    words.now += timedelta(hours=1)
    words.indexes()

    assert gone == []
    assert "armadillos" in kept
    assert {"badgers", "sleep"} <= words.words_held()
    assert "armadillos" not in words.words_held()
    assert words.found("sleep") == ["b"]
    assert words.tables_of_words() == ["words_105668_2"]


def test_words_of_a_call_that_retention_removed_leave_the_index(words: Words) -> None:
    words.has("a", "armadillos")
    words.indexes()

    words.content.drop([("a", "Q:1")])
    words.removes("a")
    words.now += timedelta(hours=1)
    words.indexes()

    assert words.words_held() == set()


def test_words_of_content_that_expired_leave_the_index_day_by_day(words: Words) -> None:
    words.index = SearchableWords(words.engine, content_days=30)
    words.has("old", "armadillos", at="2026-03-02T09:30:00.000Z")
    words.has("new", "badgers", at="2026-03-04T09:30:00.000Z")
    words.indexes()
    with words.engine.execution_options(writes=True).begin() as connection:
        # As Cosmos DB does it: nobody is told.
        connection.exec_driver_sql("drop trigger word_mark_erased")
    words.content.drop([("old", "Q:1")])

    words.now = datetime(2026, 4, 3, tzinfo=UTC)
    words.indexes()

    assert words.words_held() == {"badgers"}


def test_a_chunk_that_was_joined_is_no_erasure(words: Words) -> None:
    words.has("a", "armadillos")
    words.says("a", "badgers", key="Q:0123abcd+Q.0.2.u")
    words.indexes()

    words.content.drop([("a", "Q:0123abcd+Q.0.2.u")])

    assert words.indexes() == 0


def test_a_ledger_of_before_is_taken_in_from_the_newest_week_on_and_found_meanwhile(words: Words) -> None:
    for week in range(5):
        moment = utc_of(datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(weeks=2 * week))
        words.has(f"call-{week}", f"armadillos in week{week}", at=moment)
    with words.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.delete(tables.word_mark))
    every = [f"call-{week}" for week in (4, 3, 2, 1, 0)]
    stages: list[tuple[list[str], bool]] = []

    for _ in range(6):
        page = words.page("armadillos")
        stages.append(([row["id"] for row in page.rows], page.is_degraded))
        # One step of the timer, which is then killed.
        filling = words.index.filling(1, at=utc_of(words.now))
        if filling is not None:
            names = [name for name, _ in filling.interactions]
            words.index.keep({name: {"armadillos"} for name in names}, filling=filling, at=utc_of(words.now))

    assert [ids for ids, _ in stages] == [every] * 6
    assert stages[0][1]
    words.indexes()
    assert words.index.stand().is_complete
    assert [row["id"] for row in words.page("armadillos").rows] == every
    assert not words.page("armadillos").is_degraded


def test_a_kill_between_reading_and_keeping_loses_nothing(words: Words) -> None:
    words.has("a", "armadillos")
    marks = words.index.marks(after=0, limit=10)

    assert words.index.marks(after=0, limit=10) == marks
    assert words.indexes() == 1


def test_a_call_whose_content_cannot_be_read_stops_no_other(words: Words) -> None:
    words.has("bad", "armadillos")
    words.has("good", "badgers")
    with words.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.update(tables.content).where(tables.content.c.interaction_id == "bad").values(body=b"?"))

    words.indexes()

    assert "badgers" in words.words_held()
    assert words.index.stand().waiting == 1


def test_a_search_goes_on_where_its_page_ended(words: Words) -> None:
    for number in range(30):
        minute = utc_of(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number * 700))
        words.has(f"call-{number:02}", "armadillos" if number % 3 else "badgers", at=minute)
    words.indexes()

    found: list[str] = []
    after: ListKey | None = None
    while True:
        page = words.page("armadillos", after, limit=4)
        found += [row["id"] for row in page.rows]
        after = page.next
        if after is None:
            break

    assert found == [f"call-{number:02}" for number in range(29, -1, -1) if number % 3]


def test_a_search_takes_no_more_than_its_share_of_the_processor(words: Words) -> None:
    for number in range(20):
        words.has(f"call-{number:02}", "armadillos")
    words.indexes()
    spent = iter(range(1_000))
    bounds = SearchBounds(cpu_seconds=5, cpu=lambda: next(spent))
    search = Search(SqlAuditStore(words.engine), words.content, words.index, bounds)

    found: list[str] = []
    after: ListKey | None = None
    pages = 0
    while pages == 0 or after is not None:
        page = search.page(query_of("armadillos"), InteractionFilter(), after=after, limit=100)
        assert len(page.rows) <= 5
        found += [row["id"] for row in page.rows]
        after, pages = page.next, pages + 1

    assert found == [f"call-{number:02}" for number in range(19, -1, -1)]
    assert pages > 3


def test_a_search_is_recorded_before_it_is_answered(words: Words) -> None:
    words.has("a", "armadillos")
    audit = AuditService(store=SqlAuditStore(words.engine), content=words.content, words=words.index)

    audit.search("armadillos", InteractionFilter(), after=None, limit=1, reader=_READER)

    with words.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.content_read.c.subject)) == "armadillos"


_VOCABULARY = ("armadillo", "badger", "cat", "catalogue", "東京", "東京タワー", "größe", "foo_bar")
_QUESTIONS = ("armadillo", "badger cat", "cat*", "東京", "京", '"badger cat"', "GROSSE", "foo", "absent")
_USERS = ("ada", "bob", "cyd")


@given(
    calls=st.lists(
        st.tuples(st.lists(st.sampled_from(_VOCABULARY), max_size=4), st.sampled_from(_USERS), st.integers(0, 60)),
        min_size=1,
        max_size=12,
    ),
    question=st.sampled_from(_QUESTIONS),
    user=st.sampled_from((None, *_USERS)),
    since=st.sampled_from((None, "2026-02-10T00:00:00.000Z")),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_any_search_finds_the_same_with_the_index_as_without(
    calls: list[tuple[list[str], str, int]],
    question: str,
    user: str | None,
    since: str | None,
    seed: int,
) -> None:
    with memory_folder() as folder:
        words = Words(Path(folder))
        chance = random.Random(seed)
        for number, (some, who, day) in enumerate(calls):
            at = utc_of(datetime(2026, 1, 20, tzinfo=UTC) + timedelta(days=day, seconds=chance.randrange(400)))
            words.has(f"call-{number}", " ".join(some), at=at, user_id=who)
        narrow: dict[str, Any] = {"user_id": user, "occurred_from": since}
        without = words.found(question, **narrow)

        words.indexes()
        page = words.page(question, **narrow)
        words.engine.dispose()

    assert [row["id"] for row in page.rows] == without
    assert not page.is_degraded
