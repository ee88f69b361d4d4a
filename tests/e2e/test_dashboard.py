"""The dashboard in a real browser, over the demo's traffic: one server and one browser for all of it."""

import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import begin, until

sync_api = pytest.importorskip("playwright.sync_api", reason="make packages-e2e installs Playwright")

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[1] / "parts" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "?from=2020-01-01T00:00:00Z",
    "/explore?from=2020-01-01T00:00:00Z",
    "/people?from=2020-01-01T00:00:00Z",
    "/money",
    "/pipeline",
    "/access",
    "/help",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not here"),
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Visit:
    """A page of the browser, and what went wrong in it."""

    def __init__(self, page: Any, home: str) -> None:
        self.page = page
        self.home = home
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.hosts.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url)))

    def open(self, path: str = "") -> Any:
        """Open a page of the dashboard; return the browser's page."""
        self.page.goto(f"{self.home}{path}")
        return self.page


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("demo")
    process = begin(folder, "demo", "--count", "400", "--port", str(free_port()))
    try:
        listening = until(lambda: re.search(r"listening on (\S+),", (folder / "err").read_text()))
        yield f"{listening[1]}/api/dashboard"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any, home: str) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(20_000)
    found = Visit(page, home)
    yield found
    page.close()
    assert found.wrong == []
    assert found.hosts == {home.removesuffix("/api/dashboard")}


def first_calls(visit: Visit) -> Any:
    """Open the newest calls of the demo, whose time is the traffic's own."""
    return visit.open("/explore?from=2020-01-01T00:00:00Z")


def test_from_a_bar_to_its_calls_to_one_of_them_and_its_texts(visit: Visit) -> None:
    page = first_calls(visit)
    day = page.locator("tbody time").first.get_attribute("datetime")[:10]
    page = visit.open(f"?from={day}T00:00:00Z&to={day}T23:00:00Z")

    page.get_by_text("As a table").first.click()
    used = page.locator("td:last-child", has_text=re.compile("[1-9]"))
    page.locator("details table tbody tr", has=used).first.get_by_role("link").click()
    page.locator("tbody time").first.click()
    assert "asked" in page.locator("h1").inner_text()
    page.get_by_label("Case or purpose").fill("C-1")
    page.get_by_role("button", name="Read").click()

    assert "Your reading was recorded, for: C-1." in page.locator("main").inner_text()
    assert page.locator("#texts li").count() >= 1


def test_a_filter_is_set_and_taken_off_and_pages_follow_each_other(visit: Visit) -> None:
    page = first_calls(visit)
    newest = page.locator("tbody time").first.get_attribute("datetime")

    page.get_by_role("link", name="Older calls").click()
    assert page.locator("tbody time").first.get_attribute("datetime") < newest
    page.get_by_label("Model", exact=True).fill("nobody")
    page.get_by_role("button", name="Show").click()
    assert "No calls match" in page.locator("main").inner_text()
    page.get_by_role("link", name="Remove: model nobody").click()

    assert page.locator("tbody time").count() > 1


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_its_window_in_light_or_dark(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        for theme in ("light", "dark"):
            page = visit.open(f"{path}{'&' if '?' in path else '?'}theme={theme}")

            wide = page.evaluate("document.documentElement.scrollWidth")
            ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

            assert wide <= width, path
            assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 384) is (theme == "dark")


def test_the_keyboard_alone_skips_to_the_content_and_reaches_every_page(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"

    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))

    assert {"Overview", "Explore", "People", "Money", "Pipeline"} <= set(names)
    page.keyboard.press("Enter")
    page.wait_for_load_state()


@pytest.mark.skipif(not AXE.exists(), reason="make packages-e2e installs axe-core")
@pytest.mark.parametrize("path", [*PAGES, "/call", "/access/ask"])
def test_no_page_has_a_serious_fault_that_axe_finds(browser: Any, home: str, path: str) -> None:
    context = browser.new_context(bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(f"{home}/explore?from=2020-01-01T00:00:00Z" if path == "/call" else f"{home}{path}")
        if path == "/call":
            page.locator("tbody time").first.click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for details in page.locator("details").all():
            details.evaluate("one => { one.open = true }")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        faults = [
            (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]
    finally:
        context.close()

    assert faults == []


def test_what_is_drawn_keeps_its_screenshot(visit: Visit, tmp_path: Path) -> None:
    page = first_calls(visit)
    day = page.locator("tbody time").first.get_attribute("datetime")[:10]
    visit.open(f"?from={day}T00:00:00Z&to={day}T23:00:00Z")

    drawn = page.locator("svg.pa path").evaluate_all("paths => paths.map(path => path.getBoundingClientRect().height)")
    page.screenshot(path=tmp_path / "overview.png", full_page=True)

    assert max(drawn) > 20


def test_a_request_is_tried_on_the_page_of_the_interface_under_its_strict_policy(visit: Visit) -> None:
    page = visit.open("/../docs")

    page.locator("#operations-balance-read_balance .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").click()

    answer = page.locator(".live-responses-table tbody td.response-col_status").first
    answer.wait_for()
    assert answer.inner_text().split()[0] == "200"
    assert '"received"' in page.locator(".live-responses-table .highlight-code").first.inner_text()


def test_a_token_that_is_typed_in_goes_along_with_the_requests_of_the_page(visit: Visit) -> None:
    page = visit.open("/../docs")
    sent: list[str | None] = []
    page.on(
        "request", lambda request: sent.append(request.headers.get("authorization")) if "/v1/" in request.url else None
    )

    page.get_by_role("button", name="Authorize").first.click()
    page.locator("#auth-bearer-value").fill("abc.def.ghi")
    page.locator("#auth-bearer-value").press("Enter")
    page.get_by_role("button", name="Close").first.click()
    page.locator("#operations-balance-read_balance .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table tbody td.response-col_status").first.wait_for()

    assert sent == ["Bearer abc.def.ghi"]
