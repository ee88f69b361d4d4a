"""The access log: its parameters, the shape of its entries, and how rows become them."""

from typing import Annotated

import orjson
from pydantic import Field

from shared.api.models import Model
from shared.api.parameters import Moment, RangeParameters, Text
from shared.api.views import Answer, view_of
from shared.domain.access_log import AccessResult
from shared.stores.access_ports import AccessFilter
from shared.stores.ports import Row

__all__ = ["AccessParameters", "AccessRecord", "access_view"]


class AccessParameters(RangeParameters):
    """What the access log can be narrowed to."""

    reader: Annotated[Text | None, Field(description="object id of who asked")] = None
    route: Annotated[Text | None, Field(description="as in this document, such as /api/v1/interactions/{id}")] = None
    case: Annotated[Text | None, Field(description="purpose that was stated")] = None
    result: AccessResult | None = None
    request_id: Annotated[Text | None, Field(description="X-Request-Id of the answer")] = None
    interaction_id: Annotated[Text | None, Field(description="answers that name this interaction")] = None

    def narrow(self) -> AccessFilter:
        """Return the filter that the parameters ask for."""
        return AccessFilter(
            read_from=self.from_,
            read_before=self.to,
            reader=self.reader,
            route=self.route,
            purpose=self.case,
            result=self.result and self.result.value,
            request_id=self.request_id,
            interaction=self.interaction_id,
        )


class ReadInteractions(Model):
    """Which interactions an answer held: each of them, or of a large answer what proves which they were."""

    ids: list[str] | None = None
    first: str | None = None
    last: str | None = None
    count: int | None = None
    sha256: str | None = Field(default=None, description="of all ids in the order of the answer, a line each")


class AccessRecord(Model):
    """Who got what; fields are null in entries of releases that kept less."""

    id: str
    at: Moment
    reader: str = Field(description="object id; in entries of before, with the name behind it")
    reader_name: str | None
    app_id: str | None
    roles: list[str] | None
    route: str
    subject: str = Field(description="the interaction's id, the filter, or what was asked for")
    purpose: str | None
    rows: int | None
    interactions: ReadInteractions | None
    request_id: str | None
    result: AccessResult | None


def access_view(row: Row) -> Answer:
    """Return an entry of the access log."""
    roles: str | None = row["roles"]
    return view_of(
        AccessRecord,
        row,
        at=row["read_at"],
        roles=None if roles is None else [role for role in roles.split(",") if role],
        rows=row["row_count"],
        # Kept in the shape of `ReadInteractions`.
        interactions=None if row["interactions"] is None else orjson.loads(row["interactions"]),
    )
