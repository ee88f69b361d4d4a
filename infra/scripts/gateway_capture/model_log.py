"""What models are asked and answer, as the gateway itself logs it: the one source of streams' texts. Per API."""

import json
from pathlib import Path
from typing import Any

from .errors import ChangedError
from .gateway import LOGS_VERSION, Api, Gateway
from .management import Answer
from .shared import MONITOR_LOGGER

__all__ = ["LARGEST_MESSAGE", "Diagnostic"]

LARGEST_MESSAGE = 262144
"""Bytes of one message that the log keeps: the most that there is."""
_MASKED = Path(__file__).parents[2] / "masked.json"


class Diagnostic:
    """The diagnostic `azuremonitor` of one API, as it was when it was read."""

    def __init__(self, gateway: Gateway, api: Api) -> None:
        """Read it, and the one of all APIs, which holds where the API has none."""
        self._gateway, self._place = gateway, f"{api.path}/diagnostics/azuremonitor"
        self._found = self._read(self._place)
        self._outer = None if self._found else self._read(f"{gateway.path}/diagnostics/azuremonitor")

    def _read(self, path: str) -> Answer | None:
        return self._gateway.management.get(path, LOGS_VERSION)

    @property
    def change(self) -> str:
        """What is to be done: `made`, `extended` by the log of models, or `none`: it is there."""
        if self._found is None:
            return "made"
        log = self._found.properties.get("largeLanguageModel") or {}
        return "none" if log.get("logs") == "enabled" else "extended"

    def notes(self) -> list[str]:
        """Return what would keep the log from telling all."""
        current = self._found or self._outer
        properties = {} if current is None else current.properties
        notes = []
        sampled = (properties.get("sampling") or {}).get("percentage", 100)
        if sampled < 100:
            notes.append(
                f"the diagnostic azuremonitor keeps {sampled}% of calls: of the other streams there is no text"
            )
        response = (properties.get("frontend") or {}).get("response") or {}
        if (response.get("body") or {}).get("bytes", 0):
            notes.append("the diagnostic azuremonitor logs bodies of answers, which holds streams back until their end")
        log = properties.get("largeLanguageModel") or {}
        if self.change == "none" and (log.get("responses") or {}).get("messages") != "all":
            notes.append("the log of models is on without messages: of streams there is no text")
        return notes

    def write(self) -> None:
        """Turn the log of models on, with all else as it was."""
        current = self._found or self._outer
        properties = self._default() if current is None else dict(current.properties)
        side = {"messages": "all", "maxSizeInBytes": LARGEST_MESSAGE}
        properties["largeLanguageModel"] = {"logs": "enabled", "requests": side, "responses": side}
        try:
            self._put(properties)
        except ChangedError:
            # An answer that was lost on its way looks the same: what counts is what is there.
            self._found = self._read(self._place)
            if self.change != "none":
                raise

    def restore(self, change: str) -> None:
        """Take out what `change` says was done."""
        if self._found is None:
            return
        if change == "made":
            self._gateway.management.delete(self._place, LOGS_VERSION, etag=self._found.etag or "*")
        elif change == "extended":
            properties = dict(self._found.properties)
            if properties.pop("largeLanguageModel", None) is not None:
                self._put(properties)

    def _put(self, properties: dict[str, Any]) -> None:
        etag = "" if self._found is None else self._found.etag
        self._gateway.management.put(self._place, LOGS_VERSION, {"properties": properties}, etag=etag)

    def _default(self) -> dict[str, Any]:
        """Return what `infra/modules/apim-openai-api.bicep` sets: no header, no body, no name that opens doors."""
        names = json.loads(_MASKED.read_text(encoding="utf-8"))
        headers = [{"value": name, "mode": "Hide"} for name in names["headers"]]
        parameters = [{"value": name, "mode": "Hide"} for name in names["queryParameters"]]
        response = {"headers": [], "body": {"bytes": 0}, "dataMasking": {"headers": headers}}
        request = response | {"dataMasking": {"headers": headers, "queryParams": parameters}}
        return {
            "loggerId": f"{self._gateway.path}/loggers/{MONITOR_LOGGER}",
            "alwaysLog": "allErrors",
            "logClientIp": True,
            "verbosity": "information",
            "sampling": {"samplingType": "fixed", "percentage": 100},
            "frontend": {"request": request, "response": response},
            "backend": {"request": request, "response": response},
        }
