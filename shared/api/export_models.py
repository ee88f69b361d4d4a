"""Exports: what is asked for and answered."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, ValidationError

from shared.api.access_models import AccessParameters
from shared.api.callers import Role
from shared.api.cost_parameters import StatementParameters
from shared.api.models import Model
from shared.api.parameters import InteractionParameters, Moment, NoParameters, Text, UsageParameters
from shared.api.views import Answer, view_of
from shared.domain.exports import Export, ExportFormat, ExportKind, ExportState
from shared.errors import InvalidRequestError

__all__ = [
    "ROLES",
    "ExportAnswer",
    "ExportRequest",
    "Manifest",
    "export_view",
    "filters_in",
    "parameters_of",
]

_PARAMETERS: Final[dict[ExportKind, type[NoParameters]]] = {
    ExportKind.INTERACTIONS: InteractionParameters,
    ExportKind.CONTENT: InteractionParameters,
    ExportKind.USAGE: UsageParameters,
    ExportKind.STATEMENT: StatementParameters,
    ExportKind.ACCESS_LOG: AccessParameters,
}
"""Kind -> parameters of the list that it exports."""

ROLES: Final = {
    ExportKind.INTERACTIONS: (Role.AUDIT_READ,),
    ExportKind.CONTENT: (Role.AUDIT_READ, Role.CONTENT_READ),
    ExportKind.USAGE: (Role.USAGE_READ,),
    ExportKind.STATEMENT: (Role.USAGE_READ,),
    ExportKind.ACCESS_LOG: (Role.AUDIT_ADMIN,),
}
"""Kind -> roles that it needs, all of them."""

_NO_FILTERS: Final = frozenset({"limit", "cursor", "purpose", "q", "total"})
"""Parameters of lists that say which page, or search."""


class ExportRequest(NoParameters):
    """What is wanted as files."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "usage", "format": "csv", "filters": {"groupBy": "team", "interval": "day"}}]
        }
    )

    kind: ExportKind
    format: ExportFormat
    filters: Annotated[
        dict[str, str | int | float | bool],
        Field(
            default_factory=dict,
            max_length=50,
            description="parameters of the list: `/interactions`, for content too, `/usage`, `/costs/statement`,"
            " `/access-log`",
        ),
    ]
    purpose: Annotated[Text | None, Field(description="why; it is recorded, and content may need it")] = None


class ExportAnswer(Model):
    """An export, and how far it is."""

    id: str
    kind: ExportKind
    format: ExportFormat
    filters: dict[str, Any]
    purpose: str | None
    state: ExportState = Field(description="parts can be had while it is `making` and `done`")
    parts: int = Field(description="that are there")
    rows: int = Field(description="in them")
    bytes: int
    wanted_at: Moment
    until: Moment = Field(description="when it is given up if it is not done")
    finished_at: Moment | None
    expires_at: Moment | None = Field(description="when the files of one that is done are removed")
    reason: str | None = Field(description="why it has failed")


class _ManifestPart(Model):
    number: int
    file: str
    rows: int
    bytes: int
    sha256: str


class Manifest(Model):
    """What an export that is done consists of."""

    id: str
    kind: ExportKind
    format: ExportFormat
    filters: dict[str, Any]
    wanted_by: str
    wanted_at: Moment
    purpose: str | None
    rows: int
    bytes: int
    parts: list[_ManifestPart]


def filters_in(request: ExportRequest) -> dict[str, Any]:
    """Return the filters of a request, which the list would take.

    Raises:
        InvalidRequestError: it would not, or they say which page.
    """
    for name in _NO_FILTERS & request.filters.keys():
        raise InvalidRequestError(f"filters.{name}", "an export holds the whole list, and is no search")
    # As texts, as they would stand in an address.
    given = {name: _as_text(value) for name, value in request.filters.items()}
    try:
        parameters_of(request.kind, given)
    except ValidationError as error:
        fault = error.errors()[0]
        detail = "there is no such filter" if fault["type"] == "extra_forbidden" else fault["msg"]
        raise InvalidRequestError(
            ".".join(map(str, ("filters", *fault["loc"]))), detail.removeprefix("Value error, ")
        ) from error
    return given


def parameters_of(kind: ExportKind, filters: dict[str, Any]) -> Any:  # noqa: ANN401  # one of `_PARAMETERS`
    """Return the filters as the parameters of the list."""
    return _PARAMETERS[kind].model_validate(filters)


def export_view(export: Export) -> Answer:
    """Return an export."""
    return view_of(
        ExportAnswer,
        {"id": export.id, "wanted_at": export.wanted_at, "until": export.until, "finished_at": export.finished_at},
        kind=export.kind.value,
        format=export.format.value,
        filters=dict(export.filters),
        purpose=export.reader.purpose,
        state=export.state.value,
        parts=export.part_count,
        rows=export.row_count,
        bytes=export.byte_count,
        expires_at=export.remove_at if export.state is ExportState.DONE else None,
        reason=export.reason,
    )


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
