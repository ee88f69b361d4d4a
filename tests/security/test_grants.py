"""Texts with a second person's leave: for its case, its reader and its hours, and for nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.databases import new_sqlite
from tests.builders.events import a_request
from tests.unit.api.rows import SETTINGS, Client, Ledger, an_interaction, client_of

_LISTS = ("/api/v1/interactions", "/api/v1/interactions/call-1", "/api/v1/prompts")
_TEXTS = ("/api/v1/interactions/call-1/content", "/api/v1/interactions?q=two")


class Desk:
    """The API where grants are required, and a clock."""

    def __init__(self, ledger: Ledger) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        settings = replace(SETTINGS, needs_grant=True)
        self.client: Client = client_of(ledger.audit(now=lambda: self.now), ledger.quarantine(), settings=settings)

    def wanted(self, user: str = "ada", **changes: Any) -> str:
        body = {"caseId": "C-7", "reason": "a complaint", "hours": 2} | changes
        response = self.client.post("/api/v1/grants", json=body, headers=as_(user, "Content.Read"))
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    def act(self, grant: str, what: str, user: str = "eve") -> int:
        return self.client.post(f"/api/v1/grants/{grant}/{what}", headers=as_(user, "Audit.Admin")).status_code

    def shows(self, user: str = "ada", case: str = "C-7") -> bool:
        """Return whether texts are shown; by every route, or by none."""
        headers = as_(user, "Content.Read,Audit.Read,Usage.Read") | ({"X-Case-Id": case} if case else {})
        listed = [self.client.get(url, headers=headers) for url in _LISTS]
        assert {one.status_code for one in listed} == {200}
        read = [self.client.get(url, headers=headers) for url in _TEXTS]
        assert {one.status_code for one in read} in ({200}, {403})
        seen = {"two and two" in one.text for one in (*listed, *read)}
        assert len(seen) == 1
        return seen.pop()


def as_(user: str, roles: str) -> dict[str, str]:
    return {"X-Local-User": user, "X-Local-Roles": roles}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    engine = new_sqlite(tmp_path)
    ledger = Ledger(engine)
    ledger.has(an_interaction(prompt_preview="What is two and two?"))
    ledger.says("call-1", {"Q:1": a_request()})
    yield Desk(ledger)
    engine.dispose()


def test_a_grant_counts_from_when_somebody_else_gives_it_until_its_hours_are_over(desk: Desk) -> None:
    assert not desk.shows()
    grant = desk.wanted()
    assert not desk.shows()

    assert desk.act(grant, "give") == 200
    assert desk.shows()
    desk.now += timedelta(hours=2, milliseconds=-1)
    assert desk.shows()
    desk.now += timedelta(milliseconds=1)
    assert not desk.shows()


def test_a_grant_counts_for_its_case_and_its_reader_alone(desk: Desk) -> None:
    desk.act(desk.wanted(), "give")

    assert desk.shows()
    assert not desk.shows(case="C-8")
    assert not desk.shows(case="c-7")
    assert not desk.shows(case="")
    assert not desk.shows(user="bob")


def test_nobody_gives_a_grant_to_themselves(desk: Desk) -> None:
    grant = desk.wanted()

    assert desk.act(grant, "give", user="ada") == 409
    assert not desk.shows()


def test_a_grant_that_has_ended_never_counts_again(desk: Desk) -> None:
    given, waiting = desk.wanted(), desk.wanted()
    desk.act(given, "give")
    for grant in (given, waiting):
        assert desk.act(grant, "end") == 200
        assert desk.act(grant, "end") == 200
        assert desk.act(grant, "give") == 409

    assert not desk.shows()


def test_a_grant_that_is_given_twice_lasts_no_longer(desk: Desk) -> None:
    grant = desk.wanted()
    desk.act(grant, "give")
    desk.now += timedelta(hours=1)
    assert desk.act(grant, "give") == 200
    desk.now += timedelta(hours=1)

    assert not desk.shows()


def test_each_step_says_who_took_it(desk: Desk) -> None:
    grant = desk.wanted()
    desk.act(grant, "give")
    desk.act(grant, "end")

    (listed,) = desk.client.get("/api/v1/grants", headers=as_("eve", "Audit.Admin")).json()["items"]

    assert (listed["wantedBy"], listed["givenBy"], listed["endedBy"]) == ("ada", "eve", "eve")
    assert (listed["reader"], listed["caseId"], listed["validTo"]) == ("ada", "C-7", "2026-03-02T11:00:00.000Z")
    log = desk.client.get("/api/v1/access-log", headers=as_("eve", "Audit.Admin")).json()["items"]
    assert [one["route"] for one in log if one["result"] == "done"][:3] == [
        "/api/v1/grants",
        "/api/v1/grants/{id}/end",
        "/api/v1/grants/{id}/give",
    ]


@pytest.mark.parametrize("body", [{"hours": 0}, {"hours": 73}, {"caseId": ""}, {"caseId": "a b"}, {"reason": ""}])
def test_what_is_no_grant_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    wanted = {"caseId": "C-7", "reason": "a complaint"} | body

    assert desk.client.post("/api/v1/grants", json=wanted).status_code == 400
    assert desk.act("nothing", "give") == 404
    assert desk.act("nothing", "end") == 404
