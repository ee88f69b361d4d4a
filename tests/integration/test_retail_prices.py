"""The client of the Azure Retail Prices API against a server that answers as the API documents."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.errors import StoreUnavailableError
from shared.pricing.files import Origin, PriceFile
from shared.services.price_refresh import refresh_prices
from shared.services.prices import load_shipped_prices
from shared.stores.retail_prices import HttpRetailPrices
from shared.stores.sql.prices import SqlPrices
from tests.builders.databases import new_sqlite
from tests.unit.pricing.test_retail import an_item


class Api:
    """Pages of items, by service; and what the next requests are answered with instead."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = pages
        self.failures: list[tuple[int, dict[str, str]]] = []
        self.elsewhere = ""
        self.requests: list[dict[str, list[str]]] = []

    def answer(self, path: str, host: str) -> tuple[int, dict[str, str], bytes]:
        query = parse_qs(urlsplit(path).query)
        self.requests.append(query)
        if self.failures:
            status, headers = self.failures.pop(0)
            return status, headers, b"{}"
        place = int(query.get("$skip", ["0"])[0])
        pages = self.pages if "Foundry" in query["$filter"][0] else ([],)
        link = f"http://{self.elsewhere or host}{path.split('&$skip', maxsplit=1)[0]}&$skip={place + 1}"
        body = {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": pages[place],
            "NextPageLink": link if place + 1 < len(pages) else None,
            "Count": len(pages[place]),
        }
        return 200, {}, json.dumps(body, default=float).encode()


@contextmanager
def served(api: Api) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its name
            status, headers, body = api.answer(self.path, self.headers["Host"])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/retail/prices"
    finally:
        server.shutdown()
        server.server_close()


def names(client: HttpRetailPrices) -> list[str]:
    return [item["meterName"] for item in client.items("USD")]


def test_all_pages_are_read_and_numbers_are_decimals() -> None:
    api = Api([an_item(meterName="a"), an_item(meterName="b")], [an_item(meterName="c")])
    with served(api) as url:
        items = list(HttpRetailPrices(url).items("USD"))

    assert [item["meterName"] for item in items] == ["a", "b", "c"]
    assert items[0]["retailPrice"] == Decimal("0.0025")
    assert api.requests[0]["currencyCode"] == ["'USD'"]
    assert "serviceName eq 'Foundry Models'" in api.requests[0]["$filter"][0]


def test_a_busy_api_is_tried_again_after_the_time_that_it_names() -> None:
    api, waits = Api([an_item(meterName="a")]), list[float]()
    api.failures = [(429, {"Retry-After": "7"}), (503, {})]
    with served(api) as url:
        found = names(HttpRetailPrices(url, sleep=waits.append))

    assert (found, waits) == (["a"], [7, 4])


@pytest.mark.parametrize(("failures", "requests"), [([(400, {})], 1), ([(500, {})] * 5, 5)])
def test_what_does_not_help_is_given_up(failures: list[tuple[int, dict[str, str]]], requests: int) -> None:
    api = Api([an_item()])
    api.failures = list(failures)
    with served(api) as url, pytest.raises(StoreUnavailableError, match="status"):
        names(HttpRetailPrices(url, sleep=lambda _: None))

    assert len(api.requests) == requests


def test_a_page_elsewhere_is_not_followed() -> None:
    api = Api([an_item()], [an_item()])
    api.elsewhere = "prices.example.org"
    with served(api) as url, pytest.raises(StoreUnavailableError, match="elsewhere"):
        names(HttpRetailPrices(url))


def test_nobody_there_is_a_store_that_does_not_answer() -> None:
    with pytest.raises(StoreUnavailableError, match="ConnectionRefusedError"):
        names(HttpRetailPrices("http://127.0.0.1:9/x", sleep=lambda _: None))


def test_a_refresh_follows_the_shipped_list_is_repeatable_and_yields_to_no_older_release(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    prices = SqlPrices(engine)
    load_shipped_prices(prices)
    meter = "gpt 4o 1120 Inp glbl Tokens"
    listed = [one for one in prices.listed() if one.source.endswith(meter)]
    cheaper = an_item(meterName=meter, retailPrice=Decimal("0.002"), effectiveStartDate="2027-01-01T00:00:00Z")
    with served(Api([cheaper, an_item(meterName="new")])) as url:
        first = refresh_prices(prices, HttpRetailPrices(url))
        again = refresh_prices(prices, HttpRetailPrices(url))

    refreshed = [one for one in prices.listed() if one.dated > listed[0].dated and one.source.endswith(meter)]
    assert listed
    assert (first.changed, first.unknown_meters, again.changed) == (len(refreshed), ["new"], 0)
    assert {one.amount for one in refreshed} == {Decimal(2)}
    # A release that was made before the refresh says otherwise of the same day.
    older = [replace(one, amount=Decimal(9), dated=listed[0].dated) for one in refreshed]
    assert (
        prices.load(PriceFile(Origin.LIST, "older", older), at="2027-02-01T00:00:00.000Z", actor="release").added == 0
    )
    engine.dispose()
