from typing import Any

import azure.functions as func
import pytest

from localhost.errors import UsageError
from localhost.functions import AppFunctions, app_functions, functions_of
from localhost.hub_events import HubEvent, batch_of
from localhost.retry import RetryPolicy


def an_app() -> AppFunctions:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.event_hub_message_trigger(
        arg_name="event", event_hub_name="plain", connection="C", cardinality=func.Cardinality.ONE
    )
    def take_one(event: func.EventHubEvent) -> None:
        taken.append(event)

    @app.timer_trigger(arg_name="timer", schedule="0 0 * * * *", run_on_startup=True)
    async def strike(timer: func.TimerRequest) -> None:
        taken.append(timer)

    @app.route(route="things/{id}", methods=[func.HttpMethod.GET, func.HttpMethod.POST])
    def read_thing(req: func.HttpRequest, context: func.Context) -> str:
        return f"{req.url} {context.function_name}"

    @app.route(trigger_arg_name="request")
    def read_all(request: func.HttpRequest) -> str:
        return str(request.url)

    taken.clear()
    return functions_of(app.get_functions())


taken: list[Any] = []


def test_the_apps_own_functions_are_found_with_their_settings_resolved() -> None:
    functions = app_functions()

    assert [(f.name, f.hub, f.hub_name, f.consumer_group, f.many) for f in functions.event_hubs] == [
        ("ingest_gateway", "gateway", "gateway", "promptledger", True),
        ("ingest_monitor", "monitor", "monitor", "promptledger", True),
    ]
    assert functions.event_hubs[0].retry == RetryPolicy(-1, 2, 300)
    assert functions.timer("rebuild_usage_rollups").schedule.split()[0] == "0"
    assert {"read_interactions", "read_usage"} <= {f.name for f in functions.http}
    assert app_functions() is functions


def test_triggers_are_read_from_their_decorators() -> None:
    functions = an_app()

    assert functions.event_hubs[0].consumer_group == "$Default"
    assert functions.event_hubs[0].retry == RetryPolicy(0, 0, 0)
    assert functions.timers[0].run_on_startup
    thing, all_things = functions.http
    assert (thing.route, thing.methods, thing.argument, thing.wants_context) == (
        "things/{id}",
        ("GET", "POST"),
        "req",
        True,
    )
    assert (all_things.route, all_things.argument, all_things.wants_context) == ("read_all", "request", False)
    assert {"GET", "POST", "DELETE"} <= set(all_things.methods)


def test_a_function_of_single_events_is_invoked_once_for_each() -> None:
    function = an_app().event_hubs[0]
    events = [HubEvent(n, "2026-01-02T03:04:05.678Z", None, b"x") for n in (1, 2)]

    function(batch_of(function, "3", events))

    assert [event.sequence_number for event in taken] == [1, 2]


def test_an_async_function_is_awaited() -> None:
    an_app().timers[0](object())

    assert len(taken) == 1


def test_a_hub_answers_to_the_apps_name_and_to_the_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HUB_NAME", "apim-logs")
    app = func.FunctionApp()

    @app.event_hub_message_trigger(arg_name="events", event_hub_name="%GATEWAY_HUB_NAME%", connection="C")
    def take(events: Any) -> None: ...

    functions = functions_of(app.get_functions())

    assert functions.hub("gateway") is functions.hub("apim-logs")
    assert functions.hub("gateway").hub_name == "apim-logs"


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="rebuild_usage_rollups"):
        app_functions().timer("rebuild")
    with pytest.raises(UsageError, match="gateway, monitor"):
        app_functions().hub("nowhere")


def test_a_trigger_that_does_not_run_here_is_named() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    def take(message: func.QueueMessage) -> None: ...

    with pytest.raises(UsageError, match="queueTrigger"):
        functions_of(app.get_functions())


def test_a_batch_looks_as_the_host_makes_it() -> None:
    function = app_functions().hub("gateway")
    events = [
        HubEvent(7, "2026-01-02T03:04:05.678Z", "key", b"\xff"),
        HubEvent(8, "2026-01-02T03:04:05.6781234Z", None, b""),
    ]

    first, second = batch_of(function, "3", events)

    assert isinstance(first, func.EventHubEvent)
    assert (first.get_body(), first.sequence_number, first.partition_key) == (b"\xff", 7, "key")
    assert str(first.offset) == "7"
    assert first.enqueued_time is not None
    assert first.enqueued_time.isoformat() == "2026-01-02T03:04:05.678000+00:00"
    assert second.partition_key is None
    assert first.metadata == second.metadata
    assert first.metadata is not None
    assert first.metadata["PartitionContext"]["PartitionId"] == "3"
    assert [row["SequenceNumber"] for row in first.metadata["SystemPropertiesArray"]] == [7, 8]
