"""Pages of lists as tables: CSV or lines of JSON, for who says so in `Accept`."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel

from shared.api.columns import columns_of
from shared.api.responses import json_response
from shared.api.views import Answer, page_view
from shared.domain.exports import ExportFormat
from shared.services.export_files import file_of

__all__ = ["list_response", "tabular", "wanted_format"]

_MEDIA_TYPES: Final = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.NDJSON: "application/x-ndjson"}
_NAMES: Final = {"text/csv": ExportFormat.CSV, "application/x-ndjson": ExportFormat.NDJSON}
_JSON: Final = frozenset({"application/json", "application/*", "*/*"})
_TEXT: Final = {"schema": {"type": "string"}}


def tabular(route: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI side of a route whose answer can be had as a table too."""
    rest = {"description": "`cursor` of the rest; missing at the end", "schema": {"type": "string"}}
    content = dict.fromkeys(_NAMES, _TEXT)
    answer = {
        "description": "JSON; CSV or lines of JSON where `Accept` says so",
        "content": content,
        "headers": {"X-Next-Cursor": rest},
    }
    return {**route, "responses": {**route["responses"], 200: answer}}


def wanted_format(request: Request) -> ExportFormat | None:
    """Return in which of the two forms the caller wants the answer; None: as JSON.

    The first name of `Accept` that we know counts.
    """
    for part in request.headers.get("accept", "").split(","):
        name = part.partition(";")[0].strip().lower()
        if name in _NAMES:
            return _NAMES[name]
        if name in _JSON:
            return None
    return None


def list_response(
    request: Request,
    model: type[BaseModel],
    items: Iterable[Answer],
    next_cursor: str | None,
    *,
    optional: Collection[str] = (),
) -> Response:
    """Return a page of a list, in the form that the caller wants.

    Args:
        request: as it came.
        model: of an item.
        items: of the page.
        next_cursor: of the rest; in tables a header has it.
        optional: see `columns_of`.
    """
    form = wanted_format(request)
    if form is None:
        return json_response(page_view(items, next_cursor))
    listed = list(items)
    # The access log tells how many rows an administrator saw.
    request.state.row_count = len(listed)
    response = Response(file_of(form, columns_of(model, optional=optional), listed), media_type=_MEDIA_TYPES[form])
    if next_cursor is not None:
        response.headers["X-Next-Cursor"] = next_cursor
    return response
