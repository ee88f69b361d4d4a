"""The Azure Retail Prices API: paged, retried, read without signing in.

Source: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from shared.errors import StoreUnavailableError

__all__ = ["HttpRetailPrices"]

_URL: Final = "https://prices.azure.com/api/retail/prices"
_VERSION: Final = "2023-01-01-preview"
_SERVICES: Final = ("Foundry Models", "Cognitive Services")
"""Under which meters of models are sold: today's name, and the one before."""
_SECONDS: Final = 30
_MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_PAGES: Final = 1_000
_TRIES: Final = 5
_LONGEST_PAUSE: Final = 60.0
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})


class HttpRetailPrices:
    """`shared.stores.price_ports.RetailPrices` over HTTPS."""

    def __init__(self, url: str = _URL, *, sleep: Callable[[float], object] = time.sleep) -> None:
        """Ask `url`; `sleep` waits between tries."""
        self._url = urlsplit(url)
        self._sleep = sleep

    def items(self, currency: str) -> Iterator[Mapping[str, Any]]:
        """Yield the items of all pages; see the port."""
        for service in _SERVICES:
            query = {
                "api-version": _VERSION,
                "currencyCode": f"'{currency}'",
                "$filter": f"serviceName eq '{service}' and priceType eq 'Consumption'",
            }
            path: str | None = f"{self._url.path}?{urlencode(query)}"
            for page in count(1):
                if path is None:
                    break
                if page > _MOST_PAGES:
                    raise StoreUnavailableError("the list of retail prices has no end")
                answer = self._page(path)
                yield from answer["Items"]
                path = self._next(answer.get("NextPageLink"))

    def _next(self, link: object) -> str | None:
        """Return where the next page is; only ever where the first one was."""
        if not link:
            return None
        following = urlsplit(str(link))
        # The API names its port, which the first address leaves out.
        if (following.scheme, following.hostname) != (self._url.scheme, self._url.hostname):
            raise StoreUnavailableError("the list of retail prices goes on elsewhere")
        return f"{following.path}?{following.query}"

    def _page(self, path: str) -> Mapping[str, Any]:
        for attempt in count(1):
            try:
                status, pause, body = self._get(path)
            except (OSError, http.client.HTTPException) as error:
                status, pause, body = 0, None, type(error).__name__.encode()
            if status == 200:  # the one that has a page
                return _read(body)
            if attempt == _TRIES or (status and status not in _BUSY):
                raise StoreUnavailableError(
                    f"retail prices: status {status}" if status else f"retail prices: {body.decode()}"
                )
            self._sleep(min(2.0**attempt if pause is None else pause, _LONGEST_PAUSE))
        raise AssertionError  # count has no end

    def _get(self, path: str) -> tuple[int, float | None, bytes]:
        host, port = self._url.hostname or "", self._url.port
        connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
            if self._url.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_SECONDS)
        )
        try:
            connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "PromptLedger"})
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "")
            return response.status, float(after) if after.isdigit() else None, response.read(_MOST_BYTES)
        finally:
            connection.close()


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise StoreUnavailableError("retail prices: the answer is no JSON") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("Items"), list):
        raise StoreUnavailableError("retail prices: the answer has no items")
    return answer
