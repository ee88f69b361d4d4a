"""Events that speak of no call: platform metrics, and what can never be understood."""

import orjson

from localhost.traffic.calls import Sent
from localhost.traffic.dice import Dice
from localhost.traffic.times import iso

__all__ = ["metrics", "poison"]

_RESOURCE = (
    "/SUBSCRIPTIONS/00000000-0000-4000-6000-000000000001/RESOURCEGROUPS/RG-GATEWAY/PROVIDERS"
    "/MICROSOFT.APIMANAGEMENT/SERVICE/APIM-EXAMPLE"
)


def metrics(dice: Dice, at: int) -> Sent:
    """Return a diagnostic setting's metrics: records without a category."""
    records = []
    for name in ("Requests", "Capacity"):
        count, most = dice.between(1, 60), dice.between(1, 90)
        records.append(
            {
                "count": count,
                "total": count * most,
                "minimum": 0,
                "maximum": most,
                "average": most / 2,
                "resourceId": _RESOURCE,
                "time": iso(at - at % 60_000),
                "metricName": name,
                "timeGrain": "PT1M",
            }
        )
    return Sent(at, "monitor", None, None, orjson.dumps({"records": records}))


def poison(dice: Dice, at: int) -> Sent:
    """Return an event that no parser can read."""
    bodies = (
        f"{iso(at)},apim-example,{dice.guid()},198.51.100.7,ChatCompletions_Create".encode(),
        b'{"schema":"promptledger/1","interactionId":"' + dice.letters(8).encode(),
        dice.data(24),
        orjson.dumps({"kind": "heartbeat", "number": dice.below(10**9)}),
    )
    return Sent(at, "gateway", None, None, dice.pick(bodies))
