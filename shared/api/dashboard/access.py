"""Access: who read what and for which case, and leave to read that waits for a second person."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from shared.api.cursors import access_key, list_cursor
from shared.api.dashboard.frame import PageRoute, page, parameters_of, sent, validated
from shared.api.dashboard.parameters import AccessLogParameters, AskParameters
from shared.api.dashboard.ranges import SINCE, range_of
from shared.api.grant_models import GrantToGet
from shared.api.routes.common import AdminCaller, Audit, ContentWithin
from shared.domain.grants import Grant
from shared.domain.values import utc_now, utc_of
from shared.stores.ports import Row

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ACCESS: Final = "/api/dashboard/access"
_MOST_GRANTS: Final = 100
_MOST_NAMED: Final = 5
"""Calls of one entry that are linked one by one."""
_MOST_ID: Final = 64
_Form = Annotated[dict[str, list[str]], Depends(sent)]


@router.get("/access")
def show_accesses(request: Request, caller: AdminCaller, audit: Audit) -> Response:
    """Show the access log, newest first, and grants that wait or count. This reading is itself recorded."""
    query, now = parameters_of(AccessLogParameters, request), utc_now()
    when = range_of(now, since=query.since, start=query.from_, end=query.to)
    ranged = query.model_copy(update={"from_": query.from_ or when.start, "to": query.to or when.end})
    found = audit.accesses(ranged.narrow(), after=access_key(query.cursor, query.question()), limit=query.limit)
    audit.record(caller.asks(_ACCESS), "access log", rows=len(found.rows))
    grants = audit.grants.grants(after=None, limit=_MOST_GRANTS)
    given = query.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"cursor"})
    at = utc_of(now)
    return page(
        request,
        "access",
        rows=[(row, _named(row)) for row in found.rows],
        following=list_cursor(found.next, query.question()),
        waiting=[one for one in grants.grants if one.given_at is None and one.ended_at is None],
        counting=[one for one in grants.grants if _counts(one, at)],
        more_grants=grants.next is not None,
        query=query,
        given=given,
        chips={name: value for name, value in given.items() if name not in {"since", "from", "to", "limit"}},
        since=SINCE,
        start=ranged.from_,
        end=ranged.to,
        now=now,
        me=caller.id,
    )


@router.post("/access/give")
def give_grant(request: Request, caller: AdminCaller, form: _Form, audit: Audit) -> Response:
    """Give somebody else leave to read texts, for the case and the hours that they asked for."""
    grant_id = _grant_id(form)
    audit.record(caller.asks(f"{_ACCESS}/give"), grant_id)
    grant = audit.grants.give(grant_id, giver=caller.id, label=caller.label)
    return page(request, "granted", title="Given", grant=grant)


@router.post("/access/end")
def end_grant(request: Request, caller: AdminCaller, form: _Form, audit: Audit) -> Response:
    """Let a grant count no longer, or never."""
    grant_id = _grant_id(form)
    audit.record(caller.asks(f"{_ACCESS}/end"), grant_id)
    grant = audit.grants.end(grant_id, label=caller.label)
    return page(request, "granted", title="Ended", grant=grant)


@router.get("/access/ask")
def show_ask(request: Request, _caller: ContentWithin) -> Response:
    """Show the form that asks a second person for leave."""
    case = parameters_of(AskParameters, request).case
    return page(request, "ask", case=case)


@router.post("/access/ask")
def ask_for_grant(request: Request, caller: ContentWithin, form: _Form, audit: Audit) -> Response:
    """Ask for leave to read texts; nothing comes of it until somebody else gives it."""
    wanted = validated(GrantToGet, {name: " ".join(values[0].split()) for name, values in form.items()})
    audit.record(caller.asks(f"{_ACCESS}/ask"), wanted.case_id)
    grant = audit.grants.want(
        reader=caller.id, case_id=wanted.case_id, reason=wanted.reason, hours=wanted.hours, label=caller.label
    )
    return page(request, "granted", title="Asked", grant=grant)


def _counts(grant: Grant, at: str) -> bool:
    return grant.given_at is not None and grant.ended_at is None and (grant.valid_to or at) > at


def _grant_id(form: dict[str, list[str]]) -> str:
    return form.get("id", [""])[0][:_MOST_ID] or "?"


def _named(row: Row) -> list[str]:
    """Return the first calls that an entry names one by one."""
    kept: Any = orjson.loads(row["interactions"]) if row["interactions"] else {}
    return list(kept.get("ids", ())[:_MOST_NAMED])
