"""Settings on a laptop: the environment, with the values of local.settings.json as defaults."""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from functools import reduce
from pathlib import Path
from typing import Any, Final

from localhost.errors import UsageError
from localhost.retry import seconds_of

__all__ = ["APP_ROOT", "Host", "let_this_machine_ask", "load_settings", "read_host", "resolve"]

APP_ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of function_app.py and host.json."""

_EMULATOR: Final = "EVENT_HUBS"
_HOST_SETTING: Final = "AzureFunctionsJobHost__"
_PLACEHOLDER = re.compile(r"%([^%]+)%")


class Host:
    """What host.json says about the parts of the host that are imitated here."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read the parsed host.json `document`; what it leaves out has the host's own default."""
        extensions = document.get("extensions", {})
        hubs = extensions.get("eventHubs", {})
        self.max_event_batch_size = int(hubs.get("maxEventBatchSize", 100))
        self.prefetch_count = int(hubs.get("prefetchCount", 300))
        self.balancing_seconds = seconds_of(hubs.get("loadBalancingUpdateInterval", "00:00:30"))
        """How often a host looks whether its share of the partitions is right."""
        self.ownership_seconds = seconds_of(hubs.get("partitionOwnershipExpirationInterval", "00:02:00"))
        """After which the partitions of a host that is gone are anybody's."""
        self.route_prefix = str(extensions.get("http", {}).get("routePrefix", "api")).strip("/")


def load_settings(environment: MutableMapping[str, str] | None = None, root: Path = APP_ROOT) -> None:
    """Give each setting that the environment lacks its value from local.settings.json.

    The example file stands in for it in a fresh checkout, all but its emulator of Event Hubs: whoever has not copied
    the file has not started one either, and the local event log is meant. The environment always wins.

    Raises:
        UsageError: the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    path = root / "local.settings.json"
    own = path.exists()
    if not own:
        path = root / "local.settings.json.example"
    for name, value in _read_json(path).get("Values", {}).items():
        if name == _EMULATOR and not own:
            continue
        if not isinstance(value, str):
            raise UsageError(f"{path.name}: the value of {name} must be a string, as Core Tools wants it")
        environment.setdefault(name, value)


def let_this_machine_ask(environment: MutableMapping[str, str] | None = None) -> None:
    """Set `PROMPTLEDGER_AUTH=local` unless something else is set: only this machine can connect to our server."""
    (os.environ if environment is None else environment).setdefault("PROMPTLEDGER_AUTH", "local")


def read_host(root: Path = APP_ROOT, environment: Mapping[str, str] | None = None) -> Host:
    """Return what host.json says, less what a setting such as `AzureFunctionsJobHost__logging__x` says instead.

    Raises:
        UsageError: the file or such a setting cannot be read.
    """
    document = _read_json(root / "host.json")
    try:
        for name, value in (os.environ if environment is None else environment).items():
            if name.startswith(_HOST_SETTING):
                *path, last = name.removeprefix(_HOST_SETTING).split("__")
                reduce(lambda part, key: part.setdefault(key, {}), path, document)[last] = value
        return Host(document)
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"host.json cannot be read: {error}") from error


def resolve(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Replace each `%NAME%` of a binding by that setting, as the Functions host does.

    Raises:
        UsageError: a setting is not there.
    """
    settings = os.environ if environment is None else environment

    def value_of(match: re.Match[str]) -> str:
        value = settings.get(match[1])
        if not value:
            raise UsageError(f"the setting {match[1]} is empty or missing, and a function's binding needs it")
        return value

    return _PLACEHOLDER.sub(value_of, text)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path.name} must hold a JSON object")
    return document
