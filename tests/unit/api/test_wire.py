"""What holds for every answer on its way: ids of requests, methods, lengths, tags, limits, and lines of the log."""

import base64
import gzip
import logging
import re
from dataclasses import replace
from typing import Any, Final

import httpx
import pytest

from shared.api.rates import RateLimiter
from shared.log_lines import REQUEST_ID, guard_lines, one_line
from shared.problem import ANSWER_HEADERS
from tests.builders.events import a_request
from tests.tools.contract import document
from tests.unit.api.rows import SETTINGS, Client, Ledger, an_interaction, client_of

pytestmark = pytest.mark.slow

_LIST: Final = "/api/v1/interactions"
_PATHS: Final[dict[str, Any]] = document()["paths"]
_GOT: Final = [path for path, methods in _PATHS.items() if "get" in methods]


# Ids of requests


def test_an_answer_has_an_id_of_its_own_or_the_one_that_the_caller_gave(client: Client) -> None:
    made = [client.get(_LIST).headers["x-request-id"] for _ in range(2)]
    given = client.get(_LIST, headers={"X-Request-Id": "job-7.step_2~x"}).headers["x-request-id"]

    assert len(set(made)) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
    assert given == "job-7.step_2~x"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "ä", "a\tb", "<script>", "a=b", "%0a"])
def test_an_id_that_could_forge_something_is_replaced(client: Client, sent: str) -> None:
    answer = client.get(_LIST, headers={"X-Request-Id": sent.encode()})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Any:
    guard_lines()
    handler = _Lines()
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler.lines
    root.removeHandler(handler)


def test_every_line_of_a_request_names_it(ledger: Ledger, lines: list[str]) -> None:
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("alter table interaction rename to gone")

    client_of(ledger.audit()).get(_LIST, headers={"X-Request-Id": "job-7"})

    assert lines
    assert all(line.endswith(" request=job-7") for line in lines)
    assert REQUEST_ID.get() is None


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K", "\u202e"])
def test_an_id_of_an_interaction_cannot_forge_a_line(ledger: Ledger, lines: list[str], sign: str) -> None:
    forged = f"call-1{sign}ERROR ledger.deleted by=ada"
    ledger.has(an_interaction(forged))
    ledger.says(forged, {"Q:1": b"no JSON"})

    answer = client_of(ledger.audit()).get(f"{_LIST}/{_written(forged)}/content")

    assert answer.status_code == 200
    assert any("content.unreadable" in line for line in lines)
    assert all(sign not in line and len(line.splitlines()) == 1 for line in lines)


def test_a_line_outside_of_requests_is_kept_as_it_is(lines: list[str]) -> None:
    logging.getLogger("shared.services.rollup").warning("rollup.run hours=%d", 3)

    assert lines == ["rollup.run hours=3"]
    assert one_line("a\tb ü") == "a\\tb ü"


# Methods


def test_an_unexpected_error_is_one_line_without_its_text(ledger: Ledger, lines: list[str]) -> None:
    audit = ledger.audit()
    audit.balance = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]

    answer = client_of(audit).get("/api/v1/balance")

    assert answer.status_code == 500
    assert [line.split(" at ")[0] for line in lines] == ["audit.unexpected ZeroDivisionError"]


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs", "/api/dashboard/help", *_GOT])
def test_every_path_that_can_be_got_can_be_asked_after_by_head(ledger: Ledger, client: Client, path: str) -> None:
    ledger.has(an_interaction("1"))
    url = _example(path)

    got, head = client.get(url), client.send("HEAD", url)
    is_the_same_each_time = client.get(url).content == got.content

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers.get("content-type") == got.headers.get("content-type")
    assert head.headers["content-length"] == got.headers["content-length"] or not is_the_same_each_time


def _example(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path.replace("{month}", "2026-03"))


@pytest.mark.parametrize("path", [*_PATHS, "/api/openapi.json"])
def test_a_wrong_method_gets_a_problem_that_names_all_right_ones(client: Client, path: str) -> None:
    methods = _PATHS.get(path, {"get": None})

    answer = client.send("PATCH", _example(path))

    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(ANSWER_HEADERS.items()) <= {(name.title(), value) for name, value in answer.headers.items()} | set(
        ANSWER_HEADERS.items()
    )
    allowed = {name.upper() for name in methods} | ({"HEAD"} if "get" in methods else set())
    # An id may be any text, that of another route too.
    assert allowed <= set(answer.headers["allow"].split(", "))


def test_a_path_that_is_none_is_a_problem_with_the_headers_of_every_answer(client: Client) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
        answer = client.send(method, "/api/v1/nothing")

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert all(answer.headers[name] == value for name, value in ANSWER_HEADERS.items())


# Lengths


def _many(ledger: Ledger) -> None:
    ledger.has(*(an_interaction(f"call-{number}", model="gpt-4o") for number in range(20)))


def test_an_answer_of_a_kilobyte_is_compressed_and_a_short_one_is_not(ledger: Ledger, client: Client) -> None:
    _many(ledger)

    long = client.get(_LIST, headers={"Accept-Encoding": "gzip"})
    short = client.get("/api/v1/balance", headers={"Accept-Encoding": "gzip"})
    plain = client.get(_LIST, headers={"Accept-Encoding": "identity"})

    assert (long.headers["content-encoding"], long.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in short.headers
    assert "content-encoding" not in plain.headers
    assert long.json() == plain.json()
    assert int(long.headers["content-length"]) == len(_raw(client)) < len(plain.content) / 5


def _raw(client: Client) -> bytes:
    answer = client.get(_LIST, headers={"Accept-Encoding": "gzip"})
    # What the client unpacked, packed as the app does.
    return gzip.compress(answer.content, 5, mtime=0)


def test_an_answer_to_who_is_told_by_a_cookie_is_not_compressed(ledger: Ledger, client: Client) -> None:
    _many(ledger)

    answer = client.get(_LIST, headers={"Accept-Encoding": "gzip", "Cookie": "AppServiceAuthSession=x"})

    assert "content-encoding" not in answer.headers


# Tags


def _tagged() -> list[str]:
    return [path for path in _GOT if "304" in _PATHS[path]["get"]["responses"]]


def test_every_single_item_has_a_tag() -> None:
    single = {path for path in _GOT if path.endswith(("{id}", "{month}", "{id}/content", "{id}/body"))}

    assert single <= set(_tagged())


@pytest.mark.parametrize("path", [f"{_LIST}/call-1", f"{_LIST}/call-1/content"])
def test_what_the_caller_has_is_not_sent_again(ledger: Ledger, client: Client, path: str) -> None:
    ledger.has(an_interaction("call-1"))
    ledger.says("call-1", {"Q:1": a_request("call-1")})
    first = client.get(path)

    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
    other = client.get(path, headers={"If-None-Match": '"other"'})
    whatever = client.get(path, headers={"If-None-Match": "*"})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (other.status_code, whatever.status_code) == (200, 304)
    assert again.headers["cache-control"] == "no-store"


def test_a_tag_changes_with_the_item_and_with_what_the_caller_may_see(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("call-1", prompt_preview="hello"))
    path = f"{_LIST}/call-1"
    tags = [client.get(path).headers["etag"], client.get(path, headers={"X-Local-Roles": "Audit.Read"}).headers["etag"]]

    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("update interaction set model = 'gpt-4o'")
    tags.append(client.get(path).headers["etag"])

    assert len(set(tags)) == 3


def test_a_reading_is_recorded_also_where_the_caller_has_the_text_already(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("call-1"))
    ledger.says("call-1", {"Q:1": a_request("call-1")})

    tag = client.get(f"{_LIST}/call-1/content").headers["etag"]
    client.get(f"{_LIST}/call-1/content", headers={"If-None-Match": tag})

    assert len(ledger.reads()) == 2


# Limits


def test_who_sends_more_than_the_limit_is_told_when_to_go_on() -> None:
    now = [100.0]
    rates = RateLimiter(6, lambda: now[0])

    standings = [rates.take("ada") for _ in range(7)]
    other = rates.take("bob")
    now[0] += 10
    later = rates.take("ada")

    assert [one.left for one in standings] == [5, 4, 3, 2, 1, 0, 0]
    assert [one.wait for one in standings] == [0] * 6 + [10]
    assert (other.left, other.full_after) == (5, 10)
    assert (later.wait, later.left, later.full_after) == (0, 0, 60)


def test_the_table_of_callers_is_bounded() -> None:
    rates = RateLimiter(60, lambda: 0.0)
    for number in range(10_500):
        rates.take(f"caller-{number}")

    assert len(rates._buckets) == 10_000
    assert rates.take("caller-0").left == 59


def test_a_caller_beyond_the_limit_gets_429_and_another_does_not(ledger: Ledger) -> None:
    client = client_of(ledger.audit(), settings=replace(SETTINGS, rate_limit=2))

    def ask(name: str) -> httpx.Response:
        return client.get(_LIST, headers={"X-Local-User": name})

    answers = [ask("ada"), ask("ada"), ask("ada")]
    assert ask("bob").status_code == 200
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["ratelimit-policy"] for one in answers] == ['"caller";q=2;w=60'] * 3
    assert [one.headers["ratelimit"].split(";")[1] for one in answers] == ["r=1", "r=0", "r=0"]
    assert answers[2].json()["type"].endswith(":too-many-requests")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30


def test_a_request_with_a_body_counts_once(ledger: Ledger) -> None:
    client = client_of(ledger.audit(), ledger.quarantine(), settings=replace(SETTINGS, rate_limit=10))

    answer = client.post("/api/v1/quarantine/replay", json={"ids": ["a"]})

    assert answer.headers["ratelimit"].startswith('"caller";r=9;')


def test_the_gateways_question_has_no_limit_for_a_429_would_let_every_call_pass(ledger: Ledger) -> None:
    client = client_of(ledger.audit(), budgets=ledger.budgets(), settings=replace(SETTINGS, rate_limit=1))

    answers = [client.get("/api/v1/budgets/decision?subscriptionId=s") for _ in range(3)]

    assert [one.status_code for one in answers] == [200] * 3


def test_without_a_limit_nothing_is_counted(ledger: Ledger) -> None:
    client = client_of(ledger.audit(), settings=replace(SETTINGS, rate_limit=0))

    assert "ratelimit" not in client.get(_LIST).headers


# Ids of interactions


def _written(identifier: str) -> str:
    return "~" + base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


_ODD: Final = [
    "a/b",
    "a//b",
    "/a",
    "x/content",
    "x/revisions",
    "search",
    "..",
    "../balance",
    "line\nfeed",
    "100%",
    "50%41",
    "%2F",
    "a?b#c",
    "~tilde",
    "ä \u2028 \U0001f600",
    "a;b,c&d=e+f",
]


@pytest.mark.parametrize("identifier", _ODD)
def test_any_id_is_reached_with_its_texts(ledger: Ledger, client: Client, identifier: str) -> None:
    ledger.has(an_interaction(identifier), an_interaction("x"), an_interaction("a"))
    ledger.says(identifier, {"Q:1": a_request(identifier)})

    one = client.get(f"{_LIST}/{_written(identifier)}")
    texts = client.get(f"{_LIST}/{_written(identifier)}/content")

    assert one.json()["id"] == identifier
    assert texts.json()["prompt"]
    assert ledger.reads()[-1][2] == identifier


@pytest.mark.parametrize("identifier", ["a/b", "line\nfeed", "100%", "50%41", "%2F", "a?b#c", "ä"])
def test_most_ids_are_reached_percent_encoded_too(ledger: Ledger, client: Client, identifier: str) -> None:
    ledger.has(an_interaction(identifier))

    answer = client.get(f"{_LIST}/{''.join(f'%{byte:02x}' for byte in identifier.encode())}")

    assert answer.json()["id"] == identifier


@pytest.mark.parametrize("written", ["~", "~!", "~a", "~_w", "~YQ=="])
def test_what_is_no_id_behind_the_sign_is_refused_or_unknown(client: Client, written: str) -> None:
    answer = client.get(f"{_LIST}/{written}")

    assert answer.status_code in {400, 404}
    assert answer.status_code == 404 or answer.json()["parameter"] == "id"
