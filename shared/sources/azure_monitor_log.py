"""One record of Azure Monitor, whatever the case of its names and the form of its `properties`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.facts import Members, members
from shared.domain.interaction import Facts
from shared.domain.values import Json, text, utc
from shared.sources.decoding import parsed
from shared.sources.record import Record, interaction_id
from shared.sources.times import state_time

__all__ = ["Log", "log_of", "table"]

_COMMON: Final = ("time", "category", "correlationid")
"""What the record itself knows better than its `properties`."""


@dataclass(slots=True)
class Log:
    """A resource log record."""

    record: Record
    members: Mapping[str, Json]
    """All members, those of `properties` among them, by their names in lower case."""
    properties: Mapping[str, str]
    """Name in lower case -> name in `properties`."""

    def interaction(self) -> str:
        """Return the id of the call.

        Raises:
            EventError: the record names none.
        """
        return interaction_id(self.members.get("correlationid"), "correlationId")

    def state_time(self, facts: Facts, began: str | None = None) -> None:
        """State when the call happened: at `began`, where the record tells that, or when it was logged."""
        state_time(facts, self.record.enqueued_at, began, utc(self.members.get("time")))

    def resource(self) -> str | None:
        """Return the name of the resource that logged it, in lower case."""
        path = text(self.members.get("resourceid"), 1024)
        return path.rstrip("/").rpartition("/")[2].lower() or None if path else None

    def put(self, name: str, value: Json) -> None:
        """Let the content keep `value` as member `name`, given in lower case; None drops the member."""
        event = self.record.event
        holder = event["properties"] if name in self.properties else event
        own = self.properties.get(name) or next((key for key in event if key.lower() == name), None)
        if own is None:
            return
        if value is None:
            holder.pop(own, None)
        else:
            holder[own] = value
        self.record.received = None


def log_of(record: Record) -> Log:
    """Return `record` as a log; text of JSON in `properties` is parsed, in the record's event too."""
    event = record.event
    own = next((name for name in event if name.lower() == "properties"), None)
    properties = event.get(own) if own is not None else None
    if isinstance(properties, str):
        properties = parsed(properties)
        if isinstance(properties, dict) and own is not None:
            record.received = None
    names: dict[str, str] = {}
    all_members = {name.lower(): value for name, value in event.items()}
    if isinstance(properties, dict) and own is not None:
        del event[own]
        event["properties"] = properties
        names = {name.lower(): name for name in properties}
        all_members |= {
            lower: properties[name] for lower, name in names.items() if not (lower in _COMMON and lower in all_members)
        }
    return Log(record, all_members, names)


def table(**fields: str) -> Members:
    """Return the table `field name = member name`, for `state_members` on `Log.members`."""
    return members(**{field: member.lower() for field, member in fields.items()})
