"""The functions of function_app, read from the very objects that the Functions host indexes."""

import asyncio
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import azure.functions as func

from localhost.environment import resolve
from localhost.errors import UsageError
from localhost.retry import RetryPolicy

__all__ = [
    "AppFunctions",
    "EventHubFunction",
    "HttpFunction",
    "TimerFunction",
    "app_functions",
    "functions_of",
    "indexed_functions",
]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HUB_SETTING = re.compile(r"%(\w+)_HUB_NAME%", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EventHubFunction:
    """A function that takes a batch of one partition's events, or one event."""

    name: str
    user_function: Callable[..., Any]
    hub: str
    """The app's own word for the hub: the setting that names it, less `_HUB_NAME`, in lower case."""
    hub_name: str
    """The namespace's name for it."""
    consumer_group: str
    many: bool
    retry: RetryPolicy

    def __call__(self, events: Sequence[func.EventHubEvent]) -> None:
        """Invoke the function with a batch, or once for each event when its cardinality is one."""
        for argument in [list(events)] if self.many else events:
            _run(self.user_function, argument)


@dataclass(frozen=True, slots=True)
class TimerFunction:
    """A function that runs by the clock."""

    name: str
    user_function: Callable[..., Any]
    schedule: str
    """NCRONTAB, six fields."""
    run_on_startup: bool
    retry: RetryPolicy

    def __call__(self, request: object) -> None:
        """Invoke the function with a TimerRequest."""
        _run(self.user_function, request)


@dataclass(frozen=True, slots=True)
class HttpFunction:
    """A function that answers HTTP requests."""

    name: str
    user_function: Callable[..., Any]
    route: str
    methods: tuple[str, ...]
    argument: str
    """The name of its request parameter."""
    wants_context: bool


@dataclass(frozen=True, slots=True)
class AppFunctions:
    """All functions of the app, by their triggers."""

    event_hubs: tuple[EventHubFunction, ...]
    timers: tuple[TimerFunction, ...]
    http: tuple[HttpFunction, ...]

    def hub(self, hub: str) -> EventHubFunction:
        """Return the function that consumes `hub`, named by the app's word or by the namespace's.

        Raises:
            UsageError: there is none; the message lists the hubs that there are.
        """
        for function in self.event_hubs:
            if hub in (function.hub, function.hub_name):
                return function
        known = ", ".join(function.hub for function in self.event_hubs)
        raise UsageError(f"no function consumes a hub named {hub!r}; there are: {known}")

    def timer(self, name: str) -> TimerFunction:
        """Return the timer function `name`.

        Raises:
            UsageError: there is none; the message lists those that there are.
        """
        for function in self.timers:
            if function.name == name:
                return function
        known = ", ".join(function.name for function in self.timers)
        raise UsageError(f"no timer function is named {name!r}; there are: {known}")


@cache
def indexed_functions() -> list[func.Function]:
    """Return what function_app registered. Cached: the library lets an app be indexed once only."""
    import function_app  # noqa: PLC0415  # settings are loaded first, in case a blueprint comes to need one

    functions: list[func.Function] = function_app.app.get_functions()
    return functions


@cache
def app_functions() -> AppFunctions:
    """Return the functions of function_app, with the settings of their first reading.

    Raises:
        UsageError: a binding names a setting that is not there.
    """
    return functions_of(indexed_functions())


def functions_of(functions: Sequence[func.Function]) -> AppFunctions:
    """Sort indexed functions by their triggers.

    Raises:
        UsageError: a function has a trigger that is not run here, or its binding names a missing setting.
    """
    hubs: list[EventHubFunction] = []
    timers: list[TimerFunction] = []
    http: list[HttpFunction] = []
    for function in functions:
        binding = function.get_trigger()
        if binding is None:
            raise UsageError(f"{_name(function)} has no trigger")
        trigger = binding.get_dict_repr()
        match trigger["type"]:
            case "eventHubTrigger":
                hubs.append(_event_hub(function, trigger))
            case "timerTrigger":
                timers.append(_timer(function, trigger))
            case "httpTrigger":
                http.append(_http(function, trigger))
            case other:
                raise UsageError(f"{_name(function)} has a {other}, which does not run here")
    return AppFunctions(tuple(hubs), tuple(timers), tuple(http))


def _event_hub(function: func.Function, trigger: dict[str, Any]) -> EventHubFunction:
    raw = str(trigger["eventHubName"])
    named = _HUB_SETTING.fullmatch(raw)
    return EventHubFunction(
        name=_name(function),
        user_function=function.get_user_function(),
        hub=named[1].lower() if named else raw,
        hub_name=resolve(raw),
        consumer_group=resolve(str(trigger.get("consumerGroup") or "$Default")),
        many=_word(trigger.get("cardinality")) == "many",
        retry=RetryPolicy.read(function.get_settings_dict("retry_policy")),
    )


def _timer(function: func.Function, trigger: dict[str, Any]) -> TimerFunction:
    return TimerFunction(
        name=_name(function),
        user_function=function.get_user_function(),
        schedule=resolve(str(trigger["schedule"])),
        run_on_startup=bool(trigger.get("runOnStartup")),
        retry=RetryPolicy.read(function.get_settings_dict("retry_policy")),
    )


def _http(function: func.Function, trigger: dict[str, Any]) -> HttpFunction:
    user_function = function.get_user_function()
    return HttpFunction(
        name=_name(function),
        user_function=user_function,
        route=str(trigger.get("route") or _name(function)),
        methods=tuple(_word(method).upper() for method in trigger.get("methods") or _METHODS),
        argument=str(trigger["name"]),
        wants_context="context" in inspect.signature(user_function).parameters,
    )


def _name(function: func.Function) -> str:
    return str(function.get_function_name())


def _word(value: object) -> str:
    """Return an enumeration's value, or a plain string's, in lower case."""
    return str(getattr(value, "value", value)).lower()


def _run(user_function: Callable[..., Any], argument: object) -> None:
    result = user_function(argument)
    if inspect.iscoroutine(result):
        asyncio.run(result)
