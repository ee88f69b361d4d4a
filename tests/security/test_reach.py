"""To each route, each role, limited or not: what is beyond it does not exist, in lists, sums and single answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.domain.reach import Reach, ReachEntry, ReachKind, reaches_of
from shared.stores.sql import tables
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request
from tests.unit.api.rows import Client, Ledger, a_usage_row, an_interaction, client_of

_AT = "2026-03-02T09:30:00.123Z"
_OURS = ("ours-by-subscription", "ours-by-product", "ours-by-team")
_FOREIGN = ("foreign", "nobodys")
_LIMITS = {"subscription": "sub-1", "product": "prod-1", "team": "team-1"}
_ROLES = ("Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin")


def a_charge(interaction_id: str, team: str | None) -> dict[str, Any]:
    return {
        "occurred_at": _AT,
        "interaction_id": interaction_id,
        "confidence": "exact",
        "team": team,
        "cost_centre": None,
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    ledger = Ledger(engine)
    ledger.has(
        an_interaction("ours-by-subscription", subscription_id="sub-1", prompt_preview="hello"),
        an_interaction("ours-by-product", subscription_id="sub-9", product_id="prod-1", prompt_preview="hello"),
        an_interaction("ours-by-team", subscription_id="sub-9", product_id="prod-9", prompt_preview="hello"),
        an_interaction("foreign", subscription_id="sub-9", product_id="prod-9", prompt_preview="hello"),
        an_interaction("nobodys", prompt_preview="hello"),
    )
    ledger.insert(tables.charge, a_charge("ours-by-team", "team-1"), a_charge("foreign", "team-9"))
    for one in (*_OURS, *_FOREIGN):
        ledger.says(one, {"Q:1": a_request(one)})
    ledger.used(
        a_usage_row(subscription_id="sub-1"),
        a_usage_row(subscription_id="sub-9", product_id="prod-1"),
        a_usage_row(subscription_id="sub-9", product_id="prod-9", team="team-1"),
        a_usage_row(subscription_id="sub-9", product_id="prod-9", team="team-9"),
        a_usage_row(),
    )
    yield ledger
    engine.dispose()


@pytest.fixture
def client(ledger: Ledger) -> Client:
    return client_of(ledger.audit(), ledger.quarantine())


def limit(client: Client, role: str, matched: str = "all", value: str = "", **more: Any) -> dict[str, Any]:
    body = {"role": role, "holder": "ada", "matched": matched, "value": value} | more
    response = client.post("/api/v1/reaches", json=body)
    assert response.status_code == 200, response.text
    entry: dict[str, Any] = response.json()
    return entry


def as_ada(*roles: str, groups: str = "") -> dict[str, str]:
    return {"X-Local-User": "ada", "X-Local-Roles": ",".join(roles), "X-Local-Groups": groups}


def ids(response: httpx.Response) -> set[str]:
    assert response.status_code == 200, response.text
    return {item["id"] for item in response.json()["items"]}


@pytest.mark.parametrize(("matched", "seen"), list(zip(_LIMITS, _OURS, strict=True)))
def test_a_limited_role_finds_its_calls_and_no_others(client: Client, matched: str, seen: str) -> None:
    for role in _ROLES[:3]:
        limit(client, role, matched, _LIMITS[matched])
    everything = as_ada(*_ROLES[:3])

    assert ids(client.get("/api/v1/interactions", headers=everything)) == {seen}
    assert ids(client.get("/api/v1/prompts", headers=everything)) == {seen}
    assert client.get("/api/v1/usage", headers=everything).json()["items"][0]["requests"] == 1
    for filters in ("subscriptionId=sub-9", "productId=prod-9", "team=team-9", "model=x"):
        assert ids(client.get(f"/api/v1/interactions?{filters}", headers=everything)) <= {seen}


def test_several_entries_add_up_and_each_page_is_full(client: Client) -> None:
    for matched, value in _LIMITS.items():
        limit(client, "Audit.Read", matched, value)
    headers = as_ada("Audit.Read")
    found: list[str] = []
    cursor = ""
    while True:
        answer = client.get(f"/api/v1/interactions?limit=1{cursor}", headers=headers).json()
        found += [item["id"] for item in answer["items"]]
        if answer["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['nextCursor']}"

    assert sorted(found) == sorted(_OURS)


@pytest.mark.parametrize("path", ["", "/content"])
def test_a_foreign_id_answers_exactly_as_an_unknown_one(client: Client, path: str) -> None:
    limit(client, "Audit.Read", "subscription", "sub-1")
    limit(client, "Content.Read", "subscription", "sub-1")
    headers = as_ada("Audit.Read", "Content.Read")

    unknown = client.get(f"/api/v1/interactions/nothing{path}", headers=headers)
    own = client.get(f"/api/v1/interactions/ours-by-subscription{path}", headers=headers)

    assert own.status_code == 200
    for one in (*_FOREIGN, "ours-by-team"):
        foreign = client.get(f"/api/v1/interactions/{one}{path}", headers=headers)
        assert (foreign.status_code, foreign.content) == (404, unknown.content)
        assert foreign.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_search_finds_what_both_roles_extend_to(client: Client, method: str) -> None:
    limit(client, "Audit.Read", "subscription", "sub-1")
    limit(client, "Audit.Read", "team", "team-1")
    limit(client, "Content.Read", "team", "team-1")
    headers = as_ada("Audit.Read", "Content.Read")

    if method == "GET":
        response = client.get("/api/v1/interactions?q=two", headers=headers)
    else:
        response = client.post("/api/v1/interactions/search", json={"q": "two"}, headers=headers)

    assert ids(response) == {"ours-by-team"}


# route x role x limit x text

_READS = {
    "/api/v1/interactions": "Audit.Read",
    "/api/v1/interactions/ours-by-subscription": "Audit.Read",
    "/api/v1/interactions/foreign": "Audit.Read",
    "/api/v1/prompts": "Usage.Read",
}


@pytest.mark.parametrize("facts", [None, "sub-1", "sub-2"])
@pytest.mark.parametrize("texts", ["no", None, "sub-1", "sub-2"])
def test_texts_are_shown_as_far_as_both_roles_extend(client: Client, facts: str | None, texts: str | None) -> None:
    if facts is not None:
        for role in ("Audit.Read", "Usage.Read"):
            limit(client, role, "subscription", facts)
    if texts not in {None, "no"}:
        limit(client, "Content.Read", "subscription", str(texts))

    for route, role in _READS.items():
        response = client.get(route, headers=as_ada(role, *(["Content.Read"] if texts != "no" else [])))

        if "/interactions/" in route:
            is_seen = facts is None or (facts == "sub-1" and "ours" in route)
            assert response.status_code == (200 if is_seen else 404)
            is_shown = is_seen and (texts is None or (texts == "sub-1" and "ours" in route))
        else:
            seen = {None: {*_OURS, *_FOREIGN}, "sub-1": {"ours-by-subscription"}, "sub-2": set[str]()}[facts]
            assert ids(response) == seen
            # In lists all or none: they show texts where that role extends as far as the list.
            is_shown = bool(seen) and texts in {None, facts}
        assert ("hello" in response.text) == is_shown, route


_WHOLE = {
    "/api/v1/balance": "Audit.Read",
    "/api/v1/completeness": "Audit.Read",
    "/api/v1/quarantine": "Audit.Admin",
    "/api/v1/quarantine/x/body": "Content.Read",
    "/api/v1/access-log": "Audit.Admin",
    "/api/v1/reaches": "Audit.Admin",
}


@pytest.mark.parametrize(("route", "role"), _WHOLE.items())
def test_what_is_about_all_calls_is_not_for_roles_that_are_limited(client: Client, route: str, role: str) -> None:
    whole = client.get(route, headers=as_ada(role))
    limit(client, role, "subscription", "sub-1")

    limited = client.get(route, headers=as_ada(role))

    assert whole.status_code == (404 if "/x/" in route else 200)
    assert (limited.status_code, limited.json()["role"]) == (403, role)
    assert limited.json()["type"] == "urn:promptledger:problem:limited-role"


def test_every_route_looks_at_the_reach_of_its_role_or_refuses_those_that_have_one(client: Client) -> None:
    """Whatever routes come: none answers a limited caller about calls beyond the limit."""
    for role in _ROLES:
        limit(client, role, "subscription", "nothing-has-it")
    paths = client.get("/api/openapi.json").json()["paths"]
    tried = 0
    for path, methods in paths.items():
        for method, operation in methods.items():
            role = operation["x-required-role"]
            if role == "none" or (method == "post" and operation["x-limited"]):
                continue  # a body of its own: tried above
            url = path.replace("{id}", "foreign").replace("{month}", "2026-03")
            response = client.send(
                method.upper(), url, headers=as_ada(role), **({"json": {}} if method == "post" else {})
            )
            tried += 1
            if response.status_code == 200:
                assert [item for item in response.json()["items"] if item.get("requests") != 0] == [], path
            else:
                assert response.status_code in {403, 404, 400}, path
                assert response.status_code != 400 or method == "get", path

    assert tried > 15


# While it is valid


def test_when_an_entry_has_ended_its_role_extends_to_nothing_and_not_to_everything(client: Client) -> None:
    entry = limit(client, "Audit.Read", "subscription", "sub-1")
    headers = as_ada("Audit.Read")
    assert ids(client.get("/api/v1/interactions", headers=headers)) == {"ours-by-subscription"}

    for _ in range(2):
        ended = client.post(f"/api/v1/reaches/{entry['id']}/end").json()
        assert ended["endedBy"] == "local"
        assert ids(client.get("/api/v1/interactions", headers=headers)) == set()

    limit(client, "Audit.Read")
    assert ids(client.get("/api/v1/interactions", headers=headers)) == {*_OURS, *_FOREIGN}


@pytest.mark.parametrize(
    "dates", [{"validTo": "2026-01-01", "validFrom": "2025-01-01"}, {"validFrom": "2999-01-01"}], ids=["past", "future"]
)
def test_an_entry_of_another_time_extends_to_nothing(client: Client, dates: dict[str, str]) -> None:
    limit(client, "Audit.Read", "subscription", "sub-1", **dates)

    assert ids(client.get("/api/v1/interactions", headers=as_ada("Audit.Read"))) == set()


def test_a_group_limits_its_members_and_nobody_else(client: Client) -> None:
    limit(client, "Audit.Read", "subscription", "sub-1", holder="group-1", isGroup=True)

    assert ids(client.get("/api/v1/interactions", headers=as_ada("Audit.Read", groups="group-1, group-2"))) == {
        "ours-by-subscription"
    }
    assert len(ids(client.get("/api/v1/interactions", headers=as_ada("Audit.Read", groups="group-2")))) == 5


def test_whoever_has_too_many_groups_to_name_them_is_taken_for_a_member_without_any_of_their_calls() -> None:
    def entry(holder: str, *, is_group: bool, value: str) -> ReachEntry:
        return ReachEntry(holder, "Audit.Read", holder, is_group, ReachKind.TEAM, value, _AT, None, "eve", _AT)

    own, group = entry("ada", is_group=False, value="own"), entry("group-1", is_group=True, value="theirs")

    assert reaches_of([group], {"ada"}, _AT) == {"Audit.Read": Reach()}
    assert reaches_of([own, group], {"ada"}, _AT) == {"Audit.Read": Reach(teams=("own",))}
    assert reaches_of([], {"ada"}, _AT) == {}


@pytest.mark.parametrize(
    "body",
    [
        {"role": "Root"},
        {"matched": "colour"},
        {"value": ""},
        {"matched": "all"},
        {"holder": ""},
        {"validFrom": "2026-03-02", "validTo": "2026-03-02"},
        {"validTo": "2026-01-01"},
        {"more": 1},
    ],
)
def test_what_is_no_entry_is_refused(client: Client, body: dict[str, Any]) -> None:
    entry = {"role": "Audit.Read", "holder": "ada", "matched": "team", "value": "team-1"} | body

    assert client.post("/api/v1/reaches", json=entry).status_code == 400
    assert client.get("/api/v1/reaches").json()["items"] == []


def test_entries_are_listed_with_who_added_and_ended_them(client: Client) -> None:
    first = limit(client, "Audit.Read", "team", "team-1")
    second = limit(client, "Content.Read", "product", "prod-1")
    client.post(f"/api/v1/reaches/{first['id']}/end")

    page = client.get("/api/v1/reaches?limit=1").json()
    rest = client.get(f"/api/v1/reaches?limit=1&cursor={page['nextCursor']}").json()

    listed = {one["id"]: one for one in page["items"] + rest["items"]}
    assert set(listed) == {first["id"], second["id"]}
    assert (listed[first["id"]]["addedBy"], listed[first["id"]]["endedBy"]) == ("local", "local")
    assert client.post("/api/v1/reaches/nothing/end").status_code == 404
    assert rest["nextCursor"] is None


def test_everybody_is_told_their_roles_and_how_far_they_extend(client: Client) -> None:
    limit(client, "Audit.Read", "subscription", "sub-1")

    told = client.get("/api/v1/me", headers=as_ada("Audit.Read", "Usage.Read")).json()

    assert told == {
        "id": "ada",
        "name": None,
        "appId": None,
        "groupsKnown": True,
        "roles": [
            {"role": "Usage.Read", "reach": None},
            {"role": "Audit.Read", "reach": {"subscriptions": ["sub-1"], "products": [], "teams": []}},
        ],
        "purposeNeeded": False,
    }
    assert client.get("/api/v1/me", headers=as_ada()).json()["roles"] == []


def test_no_route_is_open_to_a_role_that_it_does_not_name(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    open_to_all = set()
    for path, methods in paths.items():
        for method, operation in methods.items():
            role = operation["x-required-role"]
            if role == "none":
                open_to_all.add(path)
                continue
            url = path.replace("{id}", "foreign").replace("{month}", "2026-03")
            others = as_ada(*(one for one in _ROLES if one != role))
            body: dict[str, Any] = {"json": {}} if method == "post" else {}
            refused = client.send(method.upper(), url, headers=others, **body)
            assert (refused.status_code, refused.json().get("role")) == (403, role), f"{method} {path}"

    # Which role an export needs stands in its body: tests/unit/api/test_exports.py.
    assert {path for path in open_to_all if not path.startswith("/api/v1/exports")} <= {
        "/api/v1/me",
        "/api/v1/me/usage",
    }
