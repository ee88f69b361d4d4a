"""Explore, and the page of a call: which calls, what happened, and who says so."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from fastapi import APIRouter, Request, Response

from shared.api.callers import Role
from shared.api.cursors import list_cursor, list_key
from shared.api.dashboard.figures import Run, runs
from shared.api.dashboard.frame import PageRoute, page, parameters_of
from shared.api.dashboard.parameters import CallParameters, ExploreParameters
from shared.api.dashboard.ranges import SINCE, range_of
from shared.api.routes.common import Audit, AuditWithin
from shared.api.views import interaction_view
from shared.domain.fragment import Content
from shared.domain.values import utc_now
from shared.questions import FILTERS, InteractionFilter

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_EXPLORE: Final = "/api/dashboard/explore"
_CALL: Final = "/api/dashboard/call"
_PARTS: Final = {"prompt": "Prompt", "completion": "Answer", "request": "Request", "response": "Response"}
_FIRST: Final = 2_000
"""Letters of a text that the first view shows."""
_NEXT: Final = 20_000
_VIEWS: Final[tuple[tuple[str, Mapping[str, object]], ...]] = (
    ("All calls", {}),
    ("Errors", {"error": True}),
    ("Stopped by the filter", {"filtered": True}),
    ("Past the gateway", {"bypass": True}),
    ("Parts missing", {"truncated": True}),
)
_FORM: Final = (
    ("model", "Model"),
    ("deployment", "Deployment"),
    ("operation", "Operation"),
    ("subscriptionId", "Subscription"),
    ("userId", "User"),
    ("appId", "Application"),
    ("callerIp", "Address"),
    ("httpStatus", "HTTP status"),
)
_FACTS: Final = (
    ("User", "userId"),
    ("Application", "appId"),
    ("Address", "callerIp"),
    ("Subscription", "subscriptionId"),
    ("Product", "productId"),
    ("Team", "team"),
    ("Cost centre", "costCentre"),
    ("Operation", "operation"),
    ("Deployment", "deployment"),
    ("Model", "model"),
    ("Model asked for", "requestedModel"),
    ("Vendor", "vendor"),
    ("HTTP status", "httpStatus"),
    ("State", "state"),
)
"""Those that a list of calls can be narrowed to, and that therefore lead there."""
_MORE_FACTS: Final = (
    ("Served by", "servedDeployment"),
    ("Streamed", "streamed"),
    ("From a cache", "cached"),
    ("Time taken, ms", "latencyMs"),
    ("Of it the backend, ms", "backendMs"),
    ("First byte after, ms", "timeToFirstByteMs"),
    ("Gateway region", "gatewayRegion"),
    ("Session", "sessionId"),
    ("Id of the answer", "responseId"),
    ("API version", "apiVersion"),
    ("Request, bytes", "requestBytes"),
    ("Response, bytes", "responseBytes"),
    ("Not captured", "notCaptured"),
)
_CALLERS: Final = (
    ("userId", "user_id"),
    ("appId", "app_id"),
    ("subscriptionId", "subscription_id"),
    ("callerIp", "caller_ip"),
)
"""Who called, by what says it best first."""
_USAGE: Final = (
    ("Input", "inputTokens"),
    ("of it from the cache", "cachedInputTokens"),
    ("Output", "outputTokens"),
    ("of it reasoning", "reasoningTokens"),
    ("Total", "totalTokens"),
)
_OTHER_USAGE: Final = (
    ("Written to the cache", "cacheWriteTokens"),
    ("Audio, input", "audioInputTokens"),
    ("Audio, output", "audioOutputTokens"),
    ("Images, input", "imageInputTokens"),
    ("Images, output", "imageOutputTokens"),
    ("Images made", "images"),
    ("Seconds", "seconds"),
    ("Characters", "characters"),
)


class Shown(NamedTuple):
    """What is shown of one text."""

    part: str
    title: str
    runs: list[Run]
    start: int
    end: int
    length: int
    """Of the whole text, in letters."""


@router.get("/explore")
def show_calls(request: Request, caller: AuditWithin, audit: Audit) -> Response:
    """Show which calls there are, the newest first."""
    query = parameters_of(ExploreParameters, request)
    when = range_of(utc_now(), since=query.since, start=query.from_, end=query.to)
    start, end = query.from_ or when.start, query.to or when.end
    narrow = InteractionFilter(**{**query.narrow().values, "occurred_from": start, "occurred_before": end})
    narrow = narrow.within(caller.within(Role.AUDIT_READ))
    after = list_key(query.cursor, query.question())
    if query.q is not None:
        found = audit.search(query.q, narrow, after=after, limit=query.limit, reader=caller.reads(_EXPLORE))
        rows, following = found.rows, found.next
    else:
        rows, following = audit.interactions(narrow, after=after, limit=query.limit, reader=None)
    given = query.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"cursor"})
    chips = {name: value for name, value in given.items() if name not in {"since", "from", "to", "limit", "purpose"}}
    return page(
        request,
        "explore",
        rows=rows,
        following=list_cursor(following, query.question()),
        start=start,
        end=end,
        query=query,
        given=given,
        chips=chips,
        since=SINCE,
        views=_VIEWS,
        form=_FORM,
        operations=FILTERS["operation"].values,
        may_search=Role.CONTENT_READ in caller.roles,
    )


@router.get("/call")
def show_call(request: Request, caller: AuditWithin, audit: Audit) -> Response:
    """Show one call; its texts for a reader who says why, and whose reading is recorded."""
    query = parameters_of(CallParameters, request)
    row = audit.interaction(query.id, reader=None, reaches=caller.within(Role.AUDIT_READ))
    who = next(((name, row[column]) for name, column in _CALLERS if row[column]), (None, None))
    texts: list[Shown] | None = None
    if query.show is not None:
        caller.needs(Role.CONTENT_READ)
        if caller.purpose is not None:
            content = audit.content_of(query.id, reader=caller.reads(_CALL))
            texts = [_shown(name, content, query) for name in _PARTS if getattr(content, name) is not None]
    return page(
        request,
        "call",
        row=row,
        call=interaction_view(row),
        who_kind=who[0],
        who=who[1],
        facts=_FACTS,
        more_facts=_MORE_FACTS,
        usage=_USAGE,
        other_usage=_OTHER_USAGE,
        texts=texts,
        query=query,
        may_read=Role.CONTENT_READ in caller.roles,
        needs_grant=request.app.state.needs_grant,
        step=_NEXT,
    )


def _shown(part: str, content: Content, query: CallParameters) -> Shown:
    value: Any = getattr(content, part)
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    start, length = (query.at, _NEXT) if query.part == part else (0, _FIRST)
    excerpt = text[start : start + length]
    return Shown(part, _PARTS[part], runs(excerpt), min(start, len(text)), start + len(excerpt), len(text))
