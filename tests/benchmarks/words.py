"""How long searches by words take, alone and with another filter, and what the index costs.

The calls of a year, each with some words of a vocabulary that is as skewed as a language; some are planted. The content
of those is kept by the product's own store, so that each hit is read and compared as it would be.
"""

import random
import time
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import utc_now, utc_of
from shared.domain.words import query_of
from shared.questions import InteractionFilter
from shared.services.search import Search
from shared.stores.ports import ContentDocument
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.word_search import SearchableWords
from tests.benchmarks.figures import Figure, of_times
from tests.builders.events import a_request

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

__all__ = ["fill_words", "words"]

GOAL_MS: Final = 200.0
_STEP: Final = 500
_WORDS: Final = 100
"""Different ones of a call; the text of 200 tokens, about."""
_VOCABULARY: Final = [f"w{number}" for number in range(50_000)]
_SHARES: Final = list(accumulate(1 / (rank + 3) for rank in range(len(_VOCABULARY))))
_PLANTED: Final = {"zebra": 200_000, "yak": 1_000, "heron": 3, "ibis": 3}
"""Word -> it stands in one call of so many; the last two never in the same."""
_KEPT: Final = 20_000
"""Calls whose content is kept, of those with a common word; of those with a rare one all are."""


def words(bench: "Bench") -> list[Figure]:
    """Return how long searches take, and how large the index is."""
    engine = create_engine(bench.url)
    found = _figures(engine, bench.times)
    engine.dispose()
    return found


def fill_words(engine: Engine) -> int:
    """Take all calls in, as the timer does a ledger of before, where that is not done; return how many."""
    index, content = SearchableWords(engine), SqlContentStore(engine)
    chance = random.Random(15)
    number = kept = 0
    while filling := index.filling(_STEP, at=utc_of(utc_now())):
        words: dict[str, set[str]] = {}
        documents: list[ContentDocument] = []
        for name, _ in filling.interactions:
            number += 1
            own = set(chance.choices(_VOCABULARY, cum_weights=_SHARES, k=_WORDS))
            planted = [word for word, share in _PLANTED.items() if share > 3 and number % share == 7]
            planted += ["heron"] if number % 3 == 1 else ["ibis"] if number % 3 == 2 else []
            words[name] = own.union(planted)
            if {"zebra", "yak"} & set(planted) or kept < _KEPT:
                kept += 1
                body = {"messages": [{"role": "user", "content": f"{' '.join(own)} {' '.join(planted)}"}]}
                documents.append(ContentDocument(name, "Q:words", a_request(name, body=body)))
        content.put(documents)
        index.keep(words, filling=filling, at=utc_of(utc_now()))
    return number


def _questions(engine: Engine) -> Iterator[tuple[str, str, dict[str, Any]]]:
    users = tables.interaction.c.user_id
    counted = sa.select(users, sa.func.count()).where(users.is_not(None)).group_by(users)
    with engine.connect() as connection:
        common, *_, rare = [user for user, _ in connection.execute(counted.order_by(sa.func.count().desc()))]
    year = {"occurred_from": "2025-01-01T00:00:00.000Z", "occurred_before": "2028-01-01T00:00:00.000Z"}
    for word, text in (
        ("rare", "zebra"), ("uncommon", "yak"), ("common", "heron"), ("absent", "unicorn"),
        ("beginning", "zebr*"), ("rare + common", "zebra w1"), ("two common", "heron w1"),
        ("never together", "heron ibis"), ("phrase", '"yak heron"'),
    ):  # fmt: skip
        yield f"{word}", text, {}
        yield f"{word}, a range", text, year
        yield f"{word}, common user", text, year | {"user_id": common}
        yield f"{word}, rare user", text, {"user_id": rare}
        yield f"{word}, errors", text, {"error": True}


def _figures(engine: Engine, number: int) -> list[Figure]:
    search = Search(SqlAuditStore(engine), SqlContentStore(engine), SearchableWords(engine))
    figures: list[Figure] = []
    for name, text, values in _questions(engine):
        times, page = [], None
        for _ in range(number):
            began = time.perf_counter()
            page = search.page(query_of(text), InteractionFilter(**values), after=None, limit=100)
            times.append((time.perf_counter() - began) * 1000)
        hits = f"{len(page.rows)} hits{'' if page.next is None else ' and more'}" if page else "none"
        judged = name.startswith(("rare", "absent", "beginning")) and "+" not in name
        figures.append(of_times(f"{name} ({hits})", times, goal=GOAL_MS if judged else None))
    with engine.connect() as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(tables.interaction)) or 1
        held = connection.exec_driver_sql("select sum(pgsize) from dbstat where name like '%word%'").scalar() or 0
    return [*figures, Figure("index of a call", held / rows, unit="B")]
