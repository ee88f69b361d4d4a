"""Probes: is the process alive, and can it serve."""

import logging

import azure.functions as func

from shared.audit_app import audit_app
from shared.bootstrap import services
from shared.errors import ConfigurationError, StoreUnavailableError
from shared.problem import PROBLEM_TYPE, problem, settings_named

bp = func.Blueprint()
logger = logging.getLogger(__name__)


@bp.route(route="health/live", methods=[func.HttpMethod.GET])
def check_liveness(req: func.HttpRequest) -> func.HttpResponse:
    """Answer 200 whenever the process can run a function; asks no store."""
    return func.HttpResponse('{"status":"live"}', mimetype="application/json")


@bp.route(route="health/ready", methods=[func.HttpMethod.GET])
def check_readiness(req: func.HttpRequest) -> func.HttpResponse:
    """Answer 200 when settings, database and content store are fit to serve, else 503 naming which of them is not."""
    part = "database"
    try:
        audit_app()
        services().audit.check()
        part = "content"
        services().audit.check_content()
    except ConfigurationError as error:
        return _unready("settings", error, settings=settings_named(error))
    except StoreUnavailableError as error:
        return _unready(part, error)
    return func.HttpResponse('{"status":"ready"}', mimetype="application/json")


def _unready(part: str, error: Exception, **more: list[str]) -> func.HttpResponse:
    # Anybody may ask for the health: the log says why, the answer only what.
    logger.error("health.unready %s %s", part, error)
    body = problem(503, "unready", f"not ready: {part}", unreachable=[part], **more)
    return func.HttpResponse(body, status_code=503, mimetype=PROBLEM_TYPE, headers={"Retry-After": "5"})
