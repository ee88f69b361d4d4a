"""However many ask at once, no more reach the store than there are connections for."""

import asyncio
import threading

import httpx

from shared.api.app import create_app
from shared.services.audit import AuditService, PartitionBalance
from tests.unit.api.rows import SETTINGS, Ledger


class MeetingAudit(AuditService):
    """Answers once `company` ask at the same time, and counts who does."""

    def __init__(self, company: int, ledger: Ledger) -> None:
        self.reaches = ledger.audit().reaches
        self._company = threading.Barrier(company, timeout=60)
        self._lock = threading.Lock()
        self._waiting = 0
        self.most = 0

    def balance(self) -> list[PartitionBalance]:
        with self._lock:
            self._waiting += 1
            self.most = max(self.most, self._waiting)
        self._company.wait()
        with self._lock:
            self._waiting -= 1
        return []


def asked_at_once(ledger: Ledger, audit: AuditService, *, threads: int, questions: int) -> list[int]:
    async def ask() -> list[int]:
        transport = httpx.ASGITransport(create_app(audit, SETTINGS, ledger.quarantine(), threads=threads))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answers = await asyncio.gather(*(client.get("/api/v1/balance") for _ in range(questions)))
        return [answer.status_code for answer in answers]

    return asyncio.run(ask())


def test_no_more_questions_reach_the_store_at_once_than_there_are_threads(ledger: Ledger) -> None:
    audit = MeetingAudit(3, ledger)

    answers = asked_at_once(ledger, audit, threads=3, questions=30)

    assert answers == [200] * 30
    assert audit.most == 3
