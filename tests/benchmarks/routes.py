"""How long each GET route takes to answer over a large ledger, the dashboard's pages and their size among them."""

import asyncio
import gzip
import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from shared import bootstrap
from shared.audit_app import audit_app
from shared.stores.sql.engine import create_engine
from tests.benchmarks.asked import ASKED, Question, known, questions_of
from tests.benchmarks.figures import Figure, of_times

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

__all__ = ["pages", "routes"]

GOAL_MS: Final = 50.0
PAGE_MS: Final = 100.0
PAGE_KB: Final = 200.0
WORDS_MS: Final = 200.0
_PAGES: Final = "/api/dashboard"
_UNBOUNDED: Final = ("/api/v1/costs/export", "/api/dashboard/money.csv", "/api/dashboard/usage.csv")
"""What streams all there is: judged by nobody."""
_MISSING: Final = 404


class _Answers(NamedTuple):
    """Of one question."""

    question: Question
    milliseconds: list[float]
    kilobytes: float


def routes(bench: "Bench") -> list[Figure]:
    """Return how long the API takes."""
    return [
        of_times(one.question.name, one.milliseconds, goal=_goal(one.question))
        for one in _answers(bench, lambda path: not path.startswith(_PAGES))
    ]


def pages(bench: "Bench") -> list[Figure]:
    """Return how long the dashboard's pages take, and their largest size as it is sent."""
    found = _answers(bench, lambda path: path.startswith(_PAGES))
    times = [
        of_times(
            one.question.name, one.milliseconds, goal=None if one.question.name.startswith(_UNBOUNDED) else PAGE_MS
        )
        for one in found
    ]
    largest = max((one.kilobytes, one.question.name) for one in found if not one.question.name.startswith(_UNBOUNDED))
    return [*times, Figure(f"largest: {largest[1]}", largest[0], unit="kB", goal=PAGE_KB)]


def _goal(question: Question) -> float | None:
    if question.name.startswith(_UNBOUNDED):
        return None
    return WORDS_MS if " word" in question.name else GOAL_MS


def _answers(bench: "Bench", is_asked: Callable[[str], bool]) -> list[_Answers]:
    os.environ |= {"PROMPTLEDGER_DATABASE": bench.url, "PROMPTLEDGER_AUTH": "local"}
    engine = create_engine(bench.url)
    values = known(engine)
    engine.dispose()
    questions = [one for path in ASKED if is_asked(path) for one in questions_of(path, values)]
    try:
        return asyncio.run(_ask(questions, bench.times))
    finally:
        bootstrap.reset()


async def _ask(questions: Iterable[Question], number: int) -> list[_Answers]:
    transport = httpx.ASGITransport(audit_app(), client=("127.0.0.1", 50_000))
    found = []
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600) as client:
        for question in questions:
            # The first answer reads pages and makes statements that all later ones have.
            times, size = [], 0
            for _ in range(number + 1):
                started = time.perf_counter()
                answer = await client.get(question.url)
                times.append((time.perf_counter() - started) * 1000)
                if not answer.is_success and not (question.may_lack and answer.status_code == _MISSING):
                    raise ValueError(f"{question.url} is answered {answer.status_code}: {answer.text}")
                size = len(answer.content) and len(gzip.compress(answer.content, 6))
            found.append(_Answers(question, times[1:], size / 1000))
    return found
