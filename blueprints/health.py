"""Probes: is the process alive, and can it serve. They run on no thread that a batch may hold."""

import logging

import azure.functions as func

from blueprints.invocations import carry
from blueprints.threads import on_own_thread
from shared.audit_app import audit_app
from shared.bootstrap import services
from shared.errors import ConfigurationError
from shared.problem import ANSWER_HEADERS, PROBLEM_TYPE, problem, settings_named

bp = func.Blueprint()
logger = logging.getLogger(__name__)

_METHODS = [func.HttpMethod.GET, func.HttpMethod.HEAD]


@bp.route(route="health/live", methods=_METHODS)
async def check_liveness(req: func.HttpRequest) -> func.HttpResponse:
    """Answer 200 whenever the process can run a function; asks no store."""
    return func.HttpResponse('{"status":"live"}', mimetype="application/json", headers=dict(ANSWER_HEADERS))


@bp.route(route="health/ready", methods=_METHODS)
async def check_readiness(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer 200 when every part that the app needs is fit to serve, else 503 naming which are not."""
    carry(context)
    faults, more = await on_own_thread(_faults)
    if not faults:
        return func.HttpResponse('{"status":"ready"}', mimetype="application/json", headers=dict(ANSWER_HEADERS))
    for part, reason in faults.items():
        # Anybody may ask for the health: the log says why, the answer only what.
        logger.error("health.unready %s: %s", part, reason)
    body = problem(503, "unready", f"not ready: {', '.join(faults)}", unreachable=list(faults), **more)
    headers = {**ANSWER_HEADERS, "Retry-After": "5"}
    return func.HttpResponse(body, status_code=503, mimetype=PROBLEM_TYPE, headers=headers)


def _faults() -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the parts that are not fit with the reasons, and what else the answer may name."""
    try:
        audit_app()
        return services().readiness.unfit(), {}
    except ConfigurationError as error:
        return {"settings": str(error)}, {"settings": settings_named(error)}
