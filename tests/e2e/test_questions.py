"""The page of the API says which request answers which question: each is sent to the demo, whose answer it states."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import httpx
import pytest

from tests.e2e.commands import ROOT, begin, until

pytestmark = pytest.mark.slow

_ROW: Final = re.compile(
    r"^\| (\d+)\. (.+?) \| `(GET|POST) (/\S*)(?: (\{.+?\}))?` \| `([^`]+)` is `([^`]+)` \|$", re.MULTILINE
)


class _Question(NamedTuple):
    """One row of the table."""

    number: str
    words: str
    method: str
    path: str
    body: str
    member: str
    value: str


def questions() -> list[_Question]:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^## Twenty questions\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    return [_Question(*row) for row in _ROW.findall(found)]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    process = begin(folder, "demo", "--port", str(port))
    try:
        listening = until(lambda: re.search(r"listening on (\S+),", (folder / "err").read_text()))
        yield f"{listening[1]}/api/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def answer_of(response: httpx.Response) -> Any:
    """Return JSON as it is; of CSV, its columns and rows."""
    if not response.headers["content-type"].startswith("text/csv"):
        return response.json()
    columns, *rows = response.text.splitlines()
    return {"columns": columns.split(","), "rows": rows}


def member_of(answer: Any, path: str) -> Any:
    """Return what stands at `items[0].usage.totalTokens`, say."""
    for name, place in re.findall(r"(\w+)|\[(\d+)\]", path):
        answer = answer[name] if name else answer[int(place)]
    return answer


def test_the_page_has_twenty_questions_each_with_a_number_of_its_own() -> None:
    numbers = [int(one.number) for one in questions()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


@pytest.mark.parametrize("question", questions(), ids=lambda one: one.number)
def test_the_one_request_that_the_page_names_answers_the_question(api: str, question: _Question) -> None:
    body = json.loads(question.body) if question.body else None

    response = httpx.request(question.method, f"{api}{question.path}", json=body, timeout=60)

    assert response.status_code == 200, response.text
    answer = answer_of(response)
    assert answer.get("items", answer.get("rows", answer)), question.words
    stated = json.loads(question.value) if re.match(r"[\d\"tfn-]", question.value) else question.value
    assert member_of(answer, question.member) == stated
