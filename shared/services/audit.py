"""Questions of auditors -> answers from the ledger and the content store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from shared.domain.access_log import AccessResult, Reader, entry_of
from shared.domain.balance import Balance
from shared.domain.fragment import Content
from shared.domain.interaction import CONTENT_FIELDS
from shared.domain.reach import Reach
from shared.domain.traits import Spread, spread_of
from shared.domain.values import utc_now, utc_of
from shared.domain.words import query_of
from shared.errors import EventError, NotFoundError
from shared.questions import CallCount, FindingFilter, InteractionFilter, ListKey, UsageQuery
from shared.services.content import best_content
from shared.services.grants import GrantService
from shared.services.reaches import ReachService
from shared.services.search import DEFAULT_BOUNDS, Search, SearchBounds, SearchPage
from shared.sources.record import correlation_ids_of, interaction_id
from shared.stores.access_ports import AccessFilter
from shared.stores.ports import AuditStore, ContentStore, Row
from shared.stores.word_ports import WordIndex

__all__ = ["AuditService", "Page", "PartitionBalance", "Reader", "StatisticsPage", "UsagePage"]

_FLOOR: Final = {"hour": (13, ":00:00.000Z"), "day": (10, "T00:00:00.000Z"), "month": (7, "-01T00:00:00.000Z")}

_MOST_COUNTED: Final = 10_000


class Page(NamedTuple):
    """Part of a list that goes from the newest to the oldest."""

    rows: list[Row]
    next: ListKey | None
    """Where the next page begins; None at the end."""


class UsagePage(NamedTuple):
    """Part of a list of groups."""

    rows: list[Row]
    next: tuple[str, ...] | None


class StatisticsPage(NamedTuple):
    """Part of a list of groups, each with what its calls' traits add up to."""

    rows: list[tuple[Row, Spread]]
    next: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionBalance(Balance):
    """Where every event of a partition is."""

    hub: str
    partition: str
    last_sequence: int | None
    last_enqueued_at: str | None


class AuditService:
    """The use cases of the audit API. Every method raises StoreUnavailableError when a store is down."""

    def __init__(
        self,
        *,
        store: AuditStore,
        content: ContentStore,
        words: WordIndex | None = None,
        now: Callable[[], datetime] = utc_now,
        bounds: SearchBounds = DEFAULT_BOUNDS,
    ) -> None:
        """Read from `store` and `content`; search by `words`, if there is such an index, within `bounds`."""
        self._store = store
        self._content = content
        self._now = now
        self._search = Search(store, content, words, bounds)
        self.reaches = ReachService(store, now)
        """To which calls roles extend."""
        self.grants = GrantService(store, now)
        """Leave to read texts for a case."""

    def interactions(
        self, narrow: InteractionFilter, *, after: ListKey | None, limit: int, reader: Reader | None
    ) -> Page:
        """Return interactions, newest first; texts only for a `reader`, whose reading is recorded."""
        rows = self._store.interactions(narrow, after=after, limit=limit + 1)
        return self._shown(_page(rows, limit, "occurred_at"), narrow, reader)

    def count(self, narrow: InteractionFilter) -> CallCount:
        """Return how many interactions there are, as far as a bounded look tells."""
        return self._store.count(narrow, most=_MOST_COUNTED)

    def interaction(self, identifier: str, *, reader: Reader | None, reaches: Sequence[Reach] = ()) -> Row:
        """Return one interaction; texts only for a `reader`, whose reading is recorded, as far as that role extends.

        Raises:
            NotFoundError: the ledger holds no such interaction.
        """
        row = self._known(identifier, reaches)
        if reader is None or not self._reads(reader, row["id"]):
            return _without_texts(row)
        if _has_text(row):
            self.record(reader, row["id"], ids=[row["id"]])
        return row

    def content_of(self, identifier: str, *, reader: Reader) -> Content:
        """Return an interaction's texts and bodies, each by its best record; the reading is recorded first.

        So is the search for one that is not there.

        Raises:
            NotFoundError: the ledger holds no such interaction.
        """
        try:
            row = self._known(identifier, reader.reaches)
        except NotFoundError:
            self.record(reader, identifier, rows=0, result=AccessResult.NOT_FOUND)
            raise
        self.record(reader, row["id"], ids=[row["id"]])
        documents = self._content.get([row["id"]]).get(row["id"], ())
        return best_content(row["id"], documents, row["occurred_at"])

    def contents(self, rows: Sequence[Row]) -> list[Content]:
        """Return texts and bodies of interactions, given as their rows; who is to get them records that first."""
        documents = self._content.get([row["id"] for row in rows])
        return [best_content(row["id"], documents.get(row["id"], ()), row["occurred_at"]) for row in rows]

    def search(
        self, question: str, narrow: InteractionFilter, *, after: ListKey | None, limit: int, reader: Reader
    ) -> SearchPage:
        """Return interactions in whose texts all that `question` asks occurs, newest first; see `shared.domain.words`.

        One call takes a bounded time; a page may be short, even empty, and still have a next one. The question is
        recorded, with what was found, before it is given out.

        Raises:
            ValueError: the question asks for nothing that can be sought.
        """
        page = self._search.page(query_of(question), narrow.within(reader.reaches), after=after, limit=limit)
        self.record(reader, " ".join([question, *_filters(narrow)]), ids=[row["id"] for row in page.rows])
        return page

    def prompts(self, narrow: InteractionFilter, *, after: ListKey | None, limit: int, reader: Reader | None) -> Page:
        """Return the prompt list, newest first; texts only for a `reader`, whose reading is recorded."""
        rows = self._store.prompts(narrow, after=after, limit=limit + 1)
        return self._shown(_page(rows, limit, "occurred_at"), narrow, reader)

    def usage(self, query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> UsagePage:
        """Return usage by group, in the order of the groups; its range is widened to full intervals."""
        aligned = _aligned(query)
        rows = self._store.usage(aligned, after=after, limit=limit + 1)
        if query.interval is None:
            rows = [{"interval_start": aligned.starts_from, **row} for row in rows]
        if len(rows) <= limit:
            return UsagePage(rows, None)
        keys = (("interval_start",) if query.interval else ()) + query.dimensions
        return UsagePage(rows[:limit], tuple(rows[limit - 1][name] for name in keys))

    def statistics(self, query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> StatisticsPage:
        """Return usage by group, as `usage` does, each with how long its calls took and how they failed."""
        found = self.usage(query, after=after, limit=limit)
        if not found.rows:
            return StatisticsPage([], None)
        keys = (("interval_start",) if query.interval else ()) + query.dimensions
        until = tuple(found.rows[-1][name] for name in keys)
        counts: dict[tuple[str, ...], dict[str, int]] = {}
        for row in self._store.traits(_aligned(query), after=after, until=until):
            counts.setdefault(tuple(row[name] for name in keys), {})[row["trait"]] = row["calls"]
        spreads = [spread_of(counts.get(tuple(row[name] for name in keys), {})) for row in found.rows]
        return StatisticsPage(list(zip(found.rows, spreads, strict=True)), found.next)

    def largest(self, query: UsageQuery, *, measure: str, limit: int) -> list[Row]:
        """Return the groups of which a measure, or the amount, is largest, the largest first."""
        aligned = _aligned(query)
        rows = self._store.largest(aligned, measure=measure, limit=limit)
        return [{"interval_start": aligned.starts_from, **row} for row in rows]

    def balance(self) -> list[PartitionBalance]:
        """Return where every event of every hub and partition is, all as of one moment."""
        return [
            PartitionBalance(
                **asdict(counts.balance),
                hub=counts.hub,
                partition=counts.partition,
                last_sequence=counts.last_sequence,
                last_enqueued_at=counts.last_enqueued_at,
            )
            for counts in self._store.partitions()
        ]

    def timer_runs(self) -> Mapping[str, str]:
        """Return when each timer function began to run last."""
        return self._store.timer_runs()

    def quarantined(self, *, after: ListKey | None, limit: int) -> Page:
        """Return what is in quarantine, without the bytes, newest first."""
        return _page(self._store.quarantined(after=after, limit=limit + 1), limit, "enqueued_at")

    def findings(self, narrow: FindingFilter, *, after: ListKey | None, limit: int) -> Page:
        """Return what was found amiss, the newest hours first."""
        return _page(self._store.findings(narrow, after=after, limit=limit + 1), limit, "hour")

    def record(
        self,
        reader: Reader,
        subject: str,
        *,
        ids: Sequence[str] | None = None,
        rows: int | None = None,
        result: AccessResult = AccessResult.DONE,
    ) -> None:
        """Keep who gets what, before they do; see `entry_of`. Nothing may be given out where this raises."""
        at = utc_of(self._now())
        self._store.record_access(entry_of(reader, subject, at=at, ids=ids, rows=rows, result=result))

    def accesses(self, narrow: AccessFilter, *, after: ListKey | None, limit: int) -> Page:
        """Return the access log, newest first."""
        return _page(self._store.accesses(narrow, after=after, limit=limit + 1), limit, "read_at")

    def check(self) -> None:
        """Return if the ledger can be read."""
        self._store.check()

    def check_content(self) -> None:
        """Return if the content store answers."""
        self._content.check()

    def _reads(self, reader: Reader, interaction_id: str) -> bool:
        """Return whether the reader may see the texts of an interaction."""
        return not reader.reaches or self._store.interaction(interaction_id, (), reader.reaches) is not None

    def _known(self, identifier: str, reaches: Sequence[Reach]) -> Row:
        name = _as_kept(identifier)
        row = self._store.interaction(name, correlation_ids_of(name), reaches)
        if row is None:
            raise _unknown()
        return row

    def _shown(self, page: Page, narrow: InteractionFilter, reader: Reader | None) -> Page:
        # Texts are shown where the reader may see those of all that the list may hold.
        if reader is None or not set(reader.reaches) <= set(narrow.reaches):
            return page._replace(rows=[_without_texts(row) for row in page.rows])
        if any(map(_has_text, page.rows)):
            self.record(reader, _as_text(narrow), ids=[row["id"] for row in page.rows])
        return page


def _aligned(query: UsageQuery) -> UsageQuery:
    """Return the question with its start rounded down to an interval's."""
    length, rest = _FLOOR[query.interval or "hour"]
    start = query.starts_from
    return replace(query, starts_from=None if start is None else start[:length] + rest)


def _as_kept(identifier: str) -> str:
    """Return an id as events are kept under it, so that it is found however it is spelled."""
    try:
        return interaction_id(identifier, "id")
    except EventError as error:
        raise _unknown() from error


def _unknown() -> NotFoundError:
    return NotFoundError("there is no interaction with this id")


def _page(rows: list[Row], limit: int, moment: str) -> Page:
    """Return a page of `limit` rows; one row more than that tells that there is another page."""
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], ListKey(last[moment], last["id"]))


def _has_text(row: Row) -> bool:
    return any(row.get(name) is not None for name in CONTENT_FIELDS)


def _without_texts(row: Row) -> Row:
    return {name: None if name in CONTENT_FIELDS else value for name, value in row.items()}


def _as_text(narrow: InteractionFilter) -> str:
    """Return a filter as the record of reads keeps it, such as `list model=gpt-4o`."""
    return " ".join(["list", *_filters(narrow)])


def _filters(narrow: InteractionFilter) -> list[str]:
    return [f"{name}={value}" for name, value in narrow.values.items()]
