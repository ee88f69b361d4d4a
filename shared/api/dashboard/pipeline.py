"""The pipeline: is everything there, and what waits for somebody?"""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from shared.api.callers import Caller, Role
from shared.api.cursors import list_cursor, list_key
from shared.api.dashboard.frame import PageRoute, page, parameters_of, sent
from shared.api.dashboard.overview import record_of
from shared.api.dashboard.parameters import HeldParameters, PipelineParameters
from shared.api.routes.common import AdminCaller, Audit, AuditCaller, Quarantine
from shared.domain.balance import Balance, sum_of
from shared.domain.values import utc_now
from shared.errors import InvalidRequestError
from shared.services.audit import AuditService
from shared.services.readiness import SCHEDULES

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PIPELINE: Final = "/api/dashboard/pipeline"
_MOST_HELD: Final = 50
_MOST_REASON: Final = 512
_MOST_ID: Final = 64
_CLASSES: Final = (
    ("stored", "in the ledger"),
    ("duplicate", "known before"),
    ("pending", "wait for another part"),
    ("skipped", "speak of no call"),
    ("quarantined", "could not be read"),
)
_Form = Annotated[dict[str, list[str]], Depends(sent)]


@router.get("/pipeline")
def show_pipeline(request: Request, caller: AuditCaller, audit: Audit) -> Response:
    """Show where every event is, what is missing, and to administrators what is in quarantine."""
    query = parameters_of(PipelineParameters, request)
    found = audit.findings(query.narrow(), after=list_key(query.cursor, query.question()), limit=query.limit)
    partitions = audit.balance()
    held = None
    if Role.AUDIT_ADMIN in caller.roles and not caller.within(Role.AUDIT_ADMIN):
        held = audit.quarantined(after=None, limit=_MOST_HELD)
        audit.record(caller.asks(_PIPELINE), "quarantine", rows=len(held.rows))
    return page(
        request,
        "pipeline",
        total=asdict(sum_of(partitions)),
        partitions=[asdict(one) for one in partitions],
        classes=_CLASSES,
        findings=found.rows,
        following=list_cursor(found.next, query.question()),
        held=held,
        timers=sorted((name, at) for name, at in audit.timer_runs().items() if name in SCHEDULES),
        record=record_of(audit, partitions),
        query=query,
        now=utc_now(),
    )


@router.post("/pipeline/replay")
def replay_events(request: Request, caller: AdminCaller, form: _Form, audit: Audit, quarantine: Quarantine) -> Response:
    """Try the events that were chosen again, and show what became of them."""
    ids = [one for one in form.get("id", []) if len(one) <= _MOST_ID][:_MOST_HELD]
    if not ids:
        raise InvalidRequestError("id", "choose at least one event")
    _record(audit, caller, "replay", *ids)
    replayed = quarantine.replay(list(dict.fromkeys(ids)), actor=caller.label)
    became = asdict(Balance.of(replayed.classes))
    return _done(request, "Tried again", became=became, unknown=replayed.unknown)


@router.get("/pipeline/discard")
def ask_to_discard(request: Request, _caller: AdminCaller) -> Response:
    """Ask for the reason before an event's bytes are forgotten."""
    return page(request, "discard", id=parameters_of(HeldParameters, request).id, most=_MOST_REASON)


@router.post("/pipeline/discard")
def discard_event(request: Request, caller: AdminCaller, form: _Form, audit: Audit, quarantine: Quarantine) -> Response:
    """Forget the bytes of one event, for good."""
    reason = " ".join(form.get("reason", [""])[0].split())
    if not 0 < len(reason) <= _MOST_REASON:
        raise InvalidRequestError("reason", f"say why, in at most {_MOST_REASON} letters")
    event_id = form.get("id", [""])[0][:_MOST_ID]
    _record(audit, caller, "discard", event_id, reason)
    quarantine.discard(event_id, reason=reason, actor=caller.label)
    return _done(request, "Discarded", became=None, unknown=[])


def _record(audit: AuditService, caller: Caller, *subject: str) -> None:
    audit.record(caller.asks(f"{_PIPELINE}/{subject[0]}"), " ".join(subject))


def _done(request: Request, title: str, **values: Any) -> Response:  # noqa: ANN401  # for a template
    return page(request, "done", title=title, classes=_CLASSES, **values)
