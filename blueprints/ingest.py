"""Event Hub batches -> the ledger."""

# The worker refuses `list[...]` in a trigger's signature, so the typing alias stays.
from typing import List

import azure.functions as func

from blueprints.deliveries import deliveries
from shared.bootstrap import services
from shared.errors import StoreUnavailableError, TooManyInvalidError

bp = func.Blueprint()


@bp.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%GATEWAY_HUB_NAME%",
    connection="EVENT_HUBS",
    consumer_group="%HUB_CONSUMER_GROUP%",
    cardinality=func.Cardinality.MANY,
    data_type=func.DataType.BINARY,
)
@bp.retry("exponential_backoff", "-1", minimum_interval="00:00:02", maximum_interval="00:05:00")
def ingest_gateway(events: List[func.EventHubEvent]) -> None:
    """Store one partition's batch of hub `gateway`. Raising repeats the batch; returning moves on."""
    _ingest("gateway", events)


@bp.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%MONITOR_HUB_NAME%",
    connection="EVENT_HUBS",
    consumer_group="%HUB_CONSUMER_GROUP%",
    cardinality=func.Cardinality.MANY,
    data_type=func.DataType.BINARY,
)
@bp.retry("exponential_backoff", "-1", minimum_interval="00:00:02", maximum_interval="00:05:00")
def ingest_monitor(events: List[func.EventHubEvent]) -> None:
    """Store one partition's batch of hub `monitor`. Raising repeats the batch; returning moves on."""
    _ingest("monitor", events)


def _ingest(hub: str, events: List[func.EventHubEvent]) -> None:
    try:
        services().ingest(deliveries(hub, events))
    except (StoreUnavailableError, TooManyInvalidError) as error:
        # One line of ours is logged. Worker and host print the trace with every try: they get a short one.
        raise error.with_traceback(None) from None
