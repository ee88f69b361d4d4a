"""The Python client: all of the interface, pages, problems, tries, and who asks."""

import inspect
import json
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import promptledger_client as client_package
import pytest
from promptledger_client import EntraAuth, LocalAuth, NotFoundError, ProblemError, PromptLedger

from shared.api.app import create_app
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request
from tests.builders.exports import MemoryFiles
from tests.builders.in_process import InProcess
from tests.tools.contract import document
from tests.unit.api.rows import SETTINGS, Ledger, an_interaction

ROOT = Path(__file__).parents[2]
_OPERATIONS: Final[dict[str, Any]] = {
    operation["operationId"]: operation for methods in document()["paths"].values() for operation in methods.values()
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def client(ledger: Ledger) -> Iterator[PromptLedger]:
    app = create_app(
        ledger.audit(),
        SETTINGS,
        ledger.quarantine(),
        prices=ledger.prices(),
        restatements=ledger.restatements(),
        capacity=ledger.capacity(),
        costs=ledger.costs(),
        payers=ledger.payers(),
        budgets=ledger.budgets(),
        exports=ledger.exports(MemoryFiles()),
    )
    with httpx.Client(transport=InProcess(app)) as http, PromptLedger("http://localhost", http=http) as made:
        yield made


def scripted(*answers: httpx.Response | httpx.TransportError, **options: Any) -> tuple[PromptLedger, list[Any]]:
    """Return a client that gets `answers` in turn, and the list of what it sent and how long it waited."""
    seen: list[Any] = []
    given = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        one = next(given)
        if isinstance(one, httpx.TransportError):
            raise one
        return one

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return PromptLedger("https://ledger.example.org/", http=http, sleep=seen.append, **options), seen


def a_problem(status: int, **headers: str) -> httpx.Response:
    body = {"type": "urn:promptledger:problem:not-found", "title": "T", "status": status, "detail": "d", "role": "R"}
    return httpx.Response(
        status, headers={"content-type": "application/problem+json", "x-request-id": "r-1", **headers}, json=body
    )


# All of the interface


@pytest.mark.parametrize("name", _OPERATIONS)
def test_every_operation_is_a_method_with_its_parameters(name: str) -> None:
    operation = _OPERATIONS[name]
    wanted = [one["name"] for one in operation.get("parameters", ()) if one["in"] in {"path", "query"}]

    signature = inspect.signature(getattr(PromptLedger, name))

    assert len(signature.parameters) == 1 + len(wanted) + ("requestBody" in operation)


def test_what_is_generated_is_what_the_document_says() -> None:
    made: Callable[[], dict[Path, str]] = runpy.run_path(str(ROOT / "clients/python/generate.py"))["generated"]

    stale = [path.name for path, text in made().items() if path.read_text(encoding="utf-8") != text]

    assert stale == [], "run make openapi"


def test_what_can_be_asked_without_a_parameter_is_answered(ledger: Ledger, client: PromptLedger) -> None:
    ledger.has(an_interaction("call-1"))
    asked = 0
    for name, operation in _OPERATIONS.items():
        needs = [one for one in operation.get("parameters", ()) if one.get("required")]
        if not needs and "requestBody" not in operation:
            assert getattr(client, name)() is not None
            asked += 1

    assert asked > 15


# Pages


def test_a_list_is_gone_through_page_by_page(ledger: Ledger, client: PromptLedger) -> None:
    ledger.has(*(an_interaction(f"call-{number}", model="gpt-4o") for number in range(7)), an_interaction("other"))

    found = [call["id"] for call in client.iter_interactions(model="gpt-4o", limit=3)]

    assert sorted(found) == [f"call-{number}" for number in range(7)]


def test_a_search_is_gone_through_by_its_body() -> None:
    page = {"items": [{"id": "a", "occurredAt": "t"}], "nextCursor": "next"}
    client, sent = scripted(httpx.Response(200, json=page), httpx.Response(200, json={"items": [], "nextCursor": None}))

    found = list(client.iter_search_interactions({"q": "aurora"}))

    assert [call["id"] for call in found] == ["a"]
    assert [json.loads(one.content) for one in sent] == [{"q": "aurora"}, {"q": "aurora", "cursor": "next"}]


def test_rows_that_arrive_move_and_merge_meanwhile_come_once(ledger: Ledger, client: PromptLedger) -> None:
    ledger.has(*(an_interaction(f"call-{n}", occurred_at=f"2026-03-02T09:{n:02}:00.000Z") for n in range(30)))
    calls = client.iter_interactions(limit=5)
    found = [next(calls)["id"] for _ in range(5)]

    ledger.has(an_interaction("new", occurred_at="2026-03-02T10:00:00.000Z"))
    with ledger.engine.begin() as connection:
        # A better record of a call that was read says that it was earlier.
        connection.exec_driver_sql("update interaction set occurred_at='2026-03-02T09:02:30.000Z' where id='call-29'")
        # Two records were one call after all.
        connection.exec_driver_sql("delete from interaction where id='call-10'")
    found += [call["id"] for call in calls]

    assert sorted(found) == sorted(f"call-{n}" for n in range(30) if n != 10)
    assert [one for one in found if found.count(one) > 1] == []


# Problems and tries


def test_a_problem_is_an_exception_with_its_members() -> None:
    client, sent = scripted(a_problem(404))

    with pytest.raises(NotFoundError) as raised:
        client.read_interaction("call-1")

    assert (raised.value.status, raised.value.kind, raised.value.role) == (404, "not-found", "R")
    assert str(raised.value) == "404 T: d (request r-1)"
    assert len(sent) == 1


def test_an_answer_that_is_no_problem_document_is_one_all_the_same() -> None:
    client, _ = scripted(httpx.Response(502, text="<html>"))

    with pytest.raises(ProblemError) as raised:
        client.read_balance()

    assert raised.value.status == 502


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_come_again_is_tried_again_when_the_answer_says(status: int) -> None:
    client, seen = scripted(a_problem(status, **{"retry-after": "7"}), httpx.Response(200, json={"items": []}))

    assert client.read_balance()["items"] == []
    assert seen[1] == 7


def test_the_last_try_is_the_last() -> None:
    client, seen = scripted(*[a_problem(503)] * 3, tries=3)

    with pytest.raises(client_package.UnavailableError):
        client.read_balance()

    assert [one for one in seen if isinstance(one, float)] == pytest.approx([0.375, 0.75], rel=0.4)


def test_a_connection_that_broke_is_tried_again_unless_something_may_have_been_done() -> None:
    lost = httpx.ReadError("lost")
    reading, _ = scripted(lost, httpx.Response(200, json={"items": []}))
    writing, _ = scripted(lost)
    unreached, _ = scripted(httpx.ConnectError("away"), httpx.Response(200, json={"id": "a", "discarded": True}))

    assert reading.read_balance()["items"] == []
    with pytest.raises(httpx.ReadError):
        writing.discard_quarantined("a", {"reason": "x"})
    assert unreached.discard_quarantined("a", {"reason": "x"})["discarded"]


def test_amounts_keep_their_digits() -> None:
    client, _ = scripted(httpx.Response(200, content=b'{"items":[{"amount":0.1234567890123}],"nextCursor":null}'))

    assert client.list_usage()["items"][0]["amount"] == Decimal("0.1234567890123")


def test_an_answer_in_csv_is_its_text_and_the_place_of_the_rest() -> None:
    client, sent = scripted(httpx.Response(200, text="a,b\n", headers={"x-next-cursor": "c"}))

    assert client.export_costs(month="2026-03") == ("a,b\n", "c")
    assert sent[0].headers["accept"].startswith("text/csv")


# Who asks


def test_a_token_is_asked_for_with_each_request() -> None:
    asked: list[str] = []

    class Credential:
        def get_token(self, *scopes: str) -> Any:
            asked.extend(scopes)
            return SimpleNamespace(token=f"token-{len(asked)}")

    client, sent = scripted(
        *[httpx.Response(200, json={})] * 2, auth=EntraAuth(Credential(), "api://ledger/.default"), case_id="C-7"
    )
    client.read_me()
    client.read_me()

    assert [one.headers["authorization"] for one in sent] == ["Bearer token-1", "Bearer token-2"]
    assert asked == ["api://ledger/.default"] * 2
    assert sent[0].headers["x-case-id"] == "C-7"


def test_local_headers_name_the_caller() -> None:
    client, sent = scripted(httpx.Response(200, json={}), auth=LocalAuth("ada", ["Audit.Read", "Usage.Read"], "t"))

    client.read_me()

    assert sent[0].headers["x-local-user"] == "ada"
    assert sent[0].headers["x-local-roles"] == "Audit.Read,Usage.Read"
    assert sent[0].headers["x-local-token"] == "t"


@pytest.mark.parametrize("identifier", ["call-1", "a/b", "x/content", "..", ".", "~x", "a\nb", "50%41", "?#&", "ä"])
def test_any_id_is_reached(ledger: Ledger, client: PromptLedger, identifier: str) -> None:
    ledger.has(an_interaction(identifier))
    ledger.says(identifier, {"Q:1": a_request(identifier)})

    assert client.read_interaction(identifier)["id"] == identifier
    assert client.read_content(identifier)["prompt"]


# The package


@pytest.mark.slow
def test_the_wheel_holds_the_client_and_its_types(tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [uv, "build", "--offline", "--no-config", "--wheel", "--out-dir", tmp_path, ROOT / "clients/python"],
        check=True, capture_output=True,
    )  # fmt: skip

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {path.name for path in (ROOT / "clients/python/src/promptledger_client").iterdir() if path.is_file()}
    assert {name.rpartition("/")[2] for name in names if name.startswith("promptledger_client/")} - {""} == modules
    script = "import promptledger_client, sys; print(promptledger_client.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(wheel)}, check=True, capture_output=True, text=True
    )
    assert wheel.name in done.stdout
