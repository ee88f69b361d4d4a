"""The dashboard's pages as callers meet them: who sees what, and that nothing in them acts."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from shared.domain.values import utc_now, utc_of
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.lease import SqlReadiness
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events
from tests.builders.html import Page, page_of
from tests.unit.api.rows import Client, Ledger, a_usage_row, an_interaction
from tests.unit.api.test_costs import DAY, MARCH, a_line, calls

_HOME = "/api/dashboard"
_TIME = "from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z"
_EVIL = "<script>alert(1)</script>\"'><img src=//evil.example/x onerror=alert(1)>"
_PAGES = {
    f"{_HOME}?{_TIME}": "Usage.Read",
    f"{_HOME}?{_TIME}&measure=cost&by=userId": "Usage.Read",
    f"{_HOME}/explore?{_TIME}": "Audit.Read",
    f"{_HOME}/call?id=call-1": "Audit.Read",
    f"{_HOME}/people?{_TIME}&kind=team": "Usage.Read",
    f"{_HOME}/people?{_TIME}&subscriptionId=sub-1": "Usage.Read",
    f"{_HOME}/money?month=2026-03": "Usage.Read",
    f"{_HOME}/pipeline": "Audit.Read",
    f"{_HOME}/access?{_TIME}": "Audit.Admin",
    f"{_HOME}/access/ask?case=C-1": "Content.Read",
    f"{_HOME}/pipeline/discard?id=ab": "Audit.Admin",
    f"{_HOME}/help": None,
}
_ROLES = ["Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin", ""]
_FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


def as_role(*roles: str) -> dict[str, str]:
    return {"X-Local-User": "ada", "X-Local-Roles": ",".join(roles)}


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A ledger in which every name that callers choose is an attack."""
    ledger.has(
        an_interaction(
            user_id=_EVIL, model=_EVIL, deployment=_EVIL, error_code=_EVIL, error_message=_EVIL, http_status=500
        ),
        an_interaction("call-2", model="gpt-4o", http_status=200, total_tokens=15, subscription_id="sub-1"),
    )
    ledger.used(
        a_usage_row(user_id=_EVIL, model=_EVIL, subscription_id="sub-1"),
        a_usage_row(user_id="bo", model="gpt-4o", amount=Decimal("0.5"), currency="USD", subscription_id="sub-1"),
    )
    ingest(events.deliveries(events.poison()), ledger=SqlLedger(ledger.engine), content=SqlContentStore(ledger.engine))
    return ledger


def shown(response: httpx.Response) -> Page:
    """Return a page, once it is known to be harmless."""
    page = page_of(response.text)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not page.named("script")
    assert not page.named("img")
    assert not page.values("style")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    for address in (*page.values("href"), *page.values("src"), *page.values("action")):
        assert address.startswith(("/api/d", "#")), address
    return page


@pytest.mark.usefixtures("filled")
def test_a_page_is_shown_to_its_role_and_else_says_which_is_missing(client: Client) -> None:
    for url, needed in _PAGES.items():
        for roles in _ROLES:
            response = client.get(url, headers=as_role(roles))
            page = shown(response)

            assert response.status_code == (200 if needed in {None, roles} else 403), (url, roles)
            assert response.status_code == 200 or f"It needs the role {needed}." in page.text


@pytest.mark.usefixtures("filled")
def test_every_link_leads_somewhere(client: Client) -> None:
    seen: set[str] = set()
    waiting = [_HOME, *_PAGES]
    while waiting and len(seen) < 120:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        response = client.get(url)
        assert response.status_code == 200, url
        if response.headers["content-type"].startswith("text/html") and url.startswith(_HOME):
            waiting += [link.partition("#")[0] for link in shown(response).values("href") if link[0] != "#"]
    assert len(seen) > 50


@pytest.mark.usefixtures("filled")
def test_every_page_has_one_heading_one_main_and_names_for_its_tables(client: Client) -> None:
    for url in _PAGES:
        page = shown(client.get(url))

        assert len(page.named("h1")) == len(page.named("main")) == 1
        assert len(page.named("caption")) == len(page.named("table"))
        assert all("scope" in cell for cell in page.named("th"))
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        assert set(page.values("aria-labelledby")) <= set(ids)


def test_the_overview_tells_sums_their_change_and_what_they_leave_out(ledger: Ledger, client: Client) -> None:
    ledger.used(
        a_usage_row(model="gpt-4o", amount=Decimal("0.5"), currency="USD"),
        a_usage_row(model="gpt-4o", amount=Decimal("0.25"), currency="USD", errors=1),
        a_usage_row(model="gpt-4o", unpriced_requests=1),
        a_usage_row("2026-03-01T09:00:00.000Z", model="gpt-4o", amount=Decimal("0.5"), currency="USD"),
    )

    text = shown(client.get(f"{_HOME}?{_TIME}")).text

    assert "+200.0\N{NARROW NO-BREAK SPACE}% more" in text
    assert "Cost0.00" not in text.replace("\n", "")
    assert "USD\N{NARROW NO-BREAK SPACE}0.75" in text
    assert "Calls without a price1" in text.replace("\n", "")


def test_a_bar_leads_to_the_calls_of_its_hour(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(model="gpt-4o"), an_interaction("call-2", occurred_at="2026-03-02T11:00:00.000Z"))
    ledger.used(a_usage_row(model="gpt-4o"))
    page = shown(client.get(f"{_HOME}?{_TIME}"))

    (bar,) = {
        link for link in page.values("href") if "explore" in link and quote("T09:00:00.000Z") in link.split("to=")[0]
    }
    calls = shown(client.get(bar))

    assert [link for link in calls.values("href") if "call?" in link] == [f"{_HOME}/call?id=call-1"]


def test_csv_holds_what_is_drawn_and_no_formula(ledger: Ledger, client: Client) -> None:
    ledger.used(a_usage_row(user_id="=1+1"))

    answer = client.get(f"{_HOME}/usage.csv?{_TIME}&by=userId")

    lines = answer.text.split("\r\n")
    assert lines[0] == "intervalStart,userId,requests"
    assert "2026-03-02T09:00:00.000Z,'=1+1,1" in lines
    assert len(lines) == 26


def test_the_list_of_calls_goes_on_behind_its_last_one(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"call-{n}", occurred_at=f"2026-03-02T09:00:0{n}.000Z") for n in range(3)))
    first = shown(client.get(f"{_HOME}/explore?{_TIME}&limit=2"))

    (following,) = [a["href"] for a in first.named("a") if a.get("rel") == "next"]
    rest = shown(client.get(str(following)))

    assert [link for link in rest.values("href") if "call?" in link] == [f"{_HOME}/call?id=call-0"]


def test_empty_fields_of_a_form_narrow_nothing_and_unknown_ones_are_named(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())

    empty = client.get(f"{_HOME}/explore?{_TIME}&model=&userId=")
    unknown = client.get(f"{_HOME}/explore?colour=red")

    assert "call?id=call-1" in empty.text
    assert (unknown.status_code, "colour: there is no such parameter" in unknown.text) == (400, True)


def test_a_call_that_is_not_there_says_so(client: Client) -> None:
    response = client.get(f"{_HOME}/call?id=nothing")

    assert (response.status_code, "There is nothing here" in shown(response).text) == (404, True)


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    ingest(
        events.deliveries(
            events.a_request(body=_a_prompt(f"{_EVIL}\u202egnp.exe \x07 שלום ")),
            events.a_response(),
        ),
        ledger=SqlLedger(ledger.engine),
        content=SqlContentStore(ledger.engine),
    )
    return ledger


def _a_prompt(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def test_texts_stay_closed_without_the_role_and_without_a_purpose(told: Ledger, client: Client) -> None:
    url = f"{_HOME}/call?id=call-1&show=texts"

    refused = client.get(f"{url}&purpose=C-1", headers=as_role("Audit.Read"))
    asks = client.get(url, headers=as_role("Audit.Read", "Content.Read"))

    assert refused.status_code == 403
    assert "It needs the role Content.Read." in shown(refused).text
    assert "Say for which case" in shown(asks).text
    assert "gnp.exe" not in refused.text + asks.text
    assert told.reads() == []


def test_texts_are_shown_as_text_and_their_reading_is_recorded(told: Ledger, client: Client) -> None:
    headers = as_role("Audit.Read", "Content.Read")

    page = shown(client.get(f"{_HOME}/call?id=call-1&show=texts&purpose=C-1", headers=headers))

    assert _EVIL in page.text
    assert "\u202e" not in page.text
    assert "U+202E" in page.text
    assert "שלום" in page.text
    assert "auto" in page.values("dir")
    assert told.reads() == [("ada", "/api/dashboard/call", "call-1")]


def test_a_prompt_of_a_megabyte_is_folded_and_read_on_piece_by_piece(ledger: Ledger, client: Client) -> None:
    ingest(
        events.deliveries(events.a_request(body=_a_prompt("word " * 200_000)), events.a_response()),
        ledger=SqlLedger(ledger.engine),
        content=SqlContentStore(ledger.engine),
    )

    first = client.get(f"{_HOME}/call?id=call-1&show=texts&purpose=C-1")
    (further,) = {link for link in shown(first).values("href") if "at=2000" in link and "part=prompt" in link}
    second = client.get(further)

    assert len(first.content) < 40_000
    assert "Letters 2\N{NARROW NO-BREAK SPACE}001 to 22\N{NARROW NO-BREAK SPACE}000." in shown(second).text


@pytest.mark.usefixtures("filled")
def test_a_form_that_is_not_ours_changes_nothing(client: Client) -> None:
    (held,) = client.get("/api/v1/quarantine").json()["items"]
    from_elsewhere = [{}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost:1"}]

    for headers in from_elsewhere:
        form = {"id": held["id"], "reason": "x"}
        response = client.post(f"{_HOME}/pipeline/discard", data=form, headers=headers)

        assert response.status_code == 403
        shown(response)
    assert client.get("/api/v1/quarantine").json()["items"] == [held]


def test_an_administrator_replays_and_discards_and_it_is_recorded(filled: Ledger, client: Client) -> None:
    admin = as_role("Audit.Admin", "Audit.Read") | _FROM_HERE
    (event,) = [box["value"] for box in shown(client.get(f"{_HOME}/pipeline", headers=admin)).named("input")]
    post: dict[str, Any] = {"headers": admin}

    again = client.post(f"{_HOME}/pipeline/replay", data={"id": event}, **post)
    nameless = client.post(f"{_HOME}/pipeline/discard", data={"id": event, "reason": " "}, **post)
    gone = client.post(f"{_HOME}/pipeline/discard", data={"id": event, "reason": "a test"}, **post)
    auditor = client.post(f"{_HOME}/pipeline/replay", data={"id": event}, headers=as_role("Audit.Read") | _FROM_HERE)

    assert "Quarantined1" in shown(again).text
    assert (nameless.status_code, gone.status_code, auditor.status_code) == (400, 200, 403)
    assert "Nothing is in quarantine." in shown(client.get(f"{_HOME}/pipeline", headers=admin)).text
    assert [subject for _, route, subject in filled.reads() if route.endswith("discard")] == [f"discard {event} a test"]


def test_the_chosen_appearance_goes_along_with_every_link(client: Client) -> None:
    page = shown(client.get(f"{_HOME}?theme=dark"))

    assert page.named("html")[0]["data-theme"] == "dark"
    leading = [a["href"] or "" for a in page.named("a") if "explore" in (a["href"] or "")]
    assert leading
    assert all("theme=" in link for link in leading)


def test_the_stylesheet_may_be_kept_and_the_pages_may_not(client: Client) -> None:
    page = client.get(_HOME)
    (style,) = [link["href"] for link in shown(page).named("link") if link["rel"] == "stylesheet"]

    sheet = client.get(str(style), headers=as_role(""))

    assert page.headers["cache-control"] == "no-store"
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["cache-control"]


def test_a_limited_role_sees_what_it_extends_to_alone(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(subscription_id="mine"), an_interaction("call-2", subscription_id="theirs"))
    ledger.used(a_usage_row(subscription_id="mine"), a_usage_row(subscription_id="theirs"))
    for role in ("Usage.Read", "Audit.Read"):
        entry = {"role": role, "holder": "ada", "matched": "subscription", "value": "mine"}
        assert client.post("/api/v1/reaches", json=entry).status_code == 200
    ada = as_role("Usage.Read", "Audit.Read")

    overview, calls = (client.get(f"{_HOME}{path}?{_TIME}", headers=ada) for path in ("", "/explore"))

    assert "mine" in shown(overview).text
    assert "theirs" not in overview.text + calls.text
    assert "call?id=call-1" in calls.text
    assert client.get(f"{_HOME}/call?id=call-2", headers=ada).status_code == 404
    assert client.get(f"{_HOME}/pipeline", headers=ada).status_code == 403


def test_money_adds_up_by_payer_and_names_what_has_no_price(ledger: Ledger, client: Client) -> None:
    ledger.insert(tables.cost_day, a_line(team="red"), a_line("0.25", team="red", unit="output"), calls(2, team="red"))
    ledger.insert(tables.cost_day, a_line("3", kind="idle"), calls(4, confidence="no-price", currency="", model="new"))
    booked = {"booked_in": MARCH, "booked_at": DAY, "month": "2026-02-01T00:00:00.000Z"}
    ledger.insert(tables.adjustment, a_line("-0.5", team="red") | booked)

    text = shown(client.get(f"{_HOME}/money?month=2026-03")).text
    file = client.get(f"{_HOME}/money.csv?month=2026-03").text.splitlines()
    unknown = client.get(f"{_HOME}/money?month=2026-13")

    assert file == [
        "month,team,costCentre,currency,calls,charges,idle,adjustments,amount,unpricedCalls",
        "2026-03,,,,4,,,,,4",
        "2026-03,,,USD,0,0,3.000000000000,0,3.000000000000,0",
        "2026-03,red,,USD,2,1.750000000000,0,-0.500000000000,1.250000000000,0",
    ]
    assert "USD\N{NARROW NO-BREAK SPACE}4.25" in text
    assert "The price book has no price of new" in text
    assert unknown.status_code == 400


def test_money_of_a_running_month_says_where_its_budget_ends(ledger: Ledger, client: Client) -> None:
    month = utc_of(utc_now())[:7]
    ledger.insert(tables.cost_day, a_line("10", team="red") | {"interval_start": f"{month}-01T00:00:00.000Z"})
    put = client.post(
        "/api/v1/budgets",
        json={"id": "all", "name": "Everything", "target": "everything", "period": "month", "measure": "money"}
        | {"amount": "100", "currency": "USD", "thresholds": [80]},
        headers=_FROM_HERE,
    )

    before = shown(client.get(f"{_HOME}/money")).text
    ledger.insert(
        tables.budget_state,
        {"budget_id": "all", "period_start": f"{month}-01T00:00:00.000Z", "period_end": "9999-01-01T00:00:00.000Z"}
        | {"used": "10", "forecast": "90", "forecast_method": "a method", "unpriced_requests": 0}
        | {"has_other_currencies": False, "is_exhausted": False, "measured_at": DAY, "examined_hour": None},
    )
    after = shown(client.get(f"{_HOME}/money")).text

    assert put.status_code == 200, put.text
    assert "not measured yet" in before
    assert f"{month} costs so far" in before
    assert f"{month} will end at" in after
    assert "90 % at the end" in after


def test_leave_to_read_is_asked_for_given_by_somebody_else_and_ended(client: Client) -> None:
    admin = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Admin,Content.Read"} | _FROM_HERE
    other = admin | {"X-Local-User": "bo"}
    wanted = {"caseId": "C-1", "reason": "a complaint", "hours": "2"}

    asked = client.post(f"{_HOME}/access/ask", data=wanted, headers=admin)
    waiting = shown(client.get(f"{_HOME}/access", headers=admin))
    (grant,) = {one["value"] for one in waiting.named("input") if one.get("name") == "id"}
    own = client.post(f"{_HOME}/access/give", data={"id": grant}, headers=admin)
    given = client.post(f"{_HOME}/access/give", data={"id": grant}, headers=other)
    open_now = shown(client.get(f"{_HOME}/access", headers=other)).text
    ended = client.post(f"{_HOME}/access/end", data={"id": grant}, headers=other)
    forged = client.post(f"{_HOME}/access/give", data={"id": grant}, headers={"Sec-Fetch-Site": "cross-site"})
    wrong = client.post(f"{_HOME}/access/ask", data=wanted | {"hours": "73"}, headers=admin)

    assert [one.status_code for one in (asked, own, given, ended, forged, wrong)] == [200, 409, 200, 200, 403, 400]
    assert "Somebody else must give it." in waiting.text
    assert "End the grant" not in waiting.text
    assert "Nobody has leave" not in open_now
    assert "Nobody has leave" in shown(client.get(f"{_HOME}/access", headers=other)).text


def test_the_access_log_shows_readings_and_is_narrowed_by_its_links(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())
    client.get("/api/v1/interactions/call-1/content", headers=as_role("Content.Read") | {"X-Case-Id": "C-7"})
    client.get("/api/v1/access-log", headers=as_role("Audit.Admin"))

    everything = shown(client.get(f"{_HOME}/access"))
    of_case = shown(client.get(f"{_HOME}/access?case=C-7"))

    assert "C-7" in everything.text
    assert f"{_HOME}/access?case=C-7" in everything.values("href")
    assert len(of_case.named("tr")) == 2
    assert "Nobody read texts" in shown(client.get(f"{_HOME}/access?case=C-8")).text


def test_the_page_of_a_person_tells_their_use_by_hour_and_nobody_elses(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(user_id="bo"), an_interaction("call-2", user_id="eve"))
    ledger.used(
        a_usage_row(user_id="bo", model="gpt-4o"),
        a_usage_row(user_id="bo", model="gpt-4o-mini"),
        a_usage_row(user_id="eve", model="o3"),
    )

    listed = shown(client.get(f"{_HOME}/people?{_TIME}"))
    person = shown(client.get(f"{_HOME}/people?{_TIME}&userId=bo"))
    without_calls = shown(client.get(f"{_HOME}/people?{_TIME}&userId=bo", headers=as_role("Usage.Read")))

    assert [link for link in listed.values("href") if link.endswith("userId=bo")]
    assert "o3" not in person.text
    assert "gpt-4o-mini" in person.text
    assert [cell for cell in person.named("td") if cell.get("class") == "q5"]
    assert [link for link in person.values("href") if "call?" in link] == [f"{_HOME}/call?id=call-1"]
    assert "Single calls need the role Audit.Read." in without_calls.text


def test_the_overview_tells_how_long_calls_took_and_how_they_failed(ledger: Ledger, client: Client) -> None:
    ledger.has(
        an_interaction(latency_ms=1_000, http_status=200),
        an_interaction("call-2", http_status=429, error_code="RateLimit"),
    )
    ledger.insert(tables.dirty_hour, {"hour": "2026-03-02T09:00:00.000Z"})
    rebuild_usage_rollups(SqlUsageRollups(ledger.engine))

    page = shown(client.get(f"{_HOME}?{_TIME}"))

    assert "RateLimit" in page.text
    assert "Half of the calls within, ms" in page.text
    assert [link for link in page.values("href") if "httpStatus=429" in link]


def test_a_page_loads_itself_again_where_that_was_chosen_and_the_page_of_a_call_never(client: Client) -> None:
    live, odd, still = (client.get(f"{_HOME}{path}").text for path in ("?refresh=10", "?refresh=1", ""))

    assert '<meta http-equiv="refresh" content="10">' in live
    assert "http-equiv" not in odd + still
    assert "http-equiv" not in client.get(f"{_HOME}/help?refresh=10").text


def test_the_pipeline_tells_when_its_timers_ran(ledger: Ledger, client: Client) -> None:
    SqlReadiness(ledger.engine).note("check_budgets", DAY)

    text = shown(client.get(f"{_HOME}/pipeline")).text

    assert "check_budgets" in text
    assert "2026-03-02 00:00:00" in text
