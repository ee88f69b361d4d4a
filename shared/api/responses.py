"""Values -> HTTP responses, and the problem document for every error."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.api.callers import Caller, Role, route_of, subject_of
from shared.domain.access_log import AccessResult
from shared.errors import (
    ForbiddenError,
    InvalidRequestError,
    LimitedRoleError,
    NotFoundError,
    NotPossibleError,
    StoreUnavailableError,
)
from shared.problem import PROBLEM_TYPE, problem
from shared.services.audit import AuditService

__all__ = ["answer_errors", "answer_unexpected", "item_response", "json_response"]

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = "5"
_RECORDED: Final = {Role.CONTENT_READ.value, Role.AUDIT_ADMIN.value}
"""Roles whose lack the access log tells of."""


def json_response(value: Any) -> Response:  # noqa: ANN401  # any JSON value
    """Return 200 with JSON, written without another look at the models: views build answers from them."""
    return Response(orjson.dumps(value), media_type="application/json")


def item_response(request: Request, value: Any) -> Response:  # noqa: ANN401  # any JSON value
    """Return 200 with JSON and its ETag, or 304 where `If-None-Match` says that the caller has just that."""
    body = orjson.dumps(value)
    # Weak: compressed or not, it is the same. It differs by what the caller may see, since the answer does.
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag.removeprefix("W/"), "*"}:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


def answer_errors(app: FastAPI) -> None:
    """Make `app` answer every expected error with a problem document."""
    app.add_exception_handler(RequestValidationError, _invalid_by_model)
    app.add_exception_handler(InvalidRequestError, _invalid)
    app.add_exception_handler(ForbiddenError, _forbidden)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(NotPossibleError, _not_possible)
    app.add_exception_handler(StoreUnavailableError, _unavailable)
    app.add_exception_handler(HTTPException, _refused)


def answer_unexpected() -> Response:
    """Return 500, telling the caller nothing of what went wrong inside."""
    return _problem(500, "unexpected", "the answer could not be made; the app's log says why")


def _problem(status: int, kind: str, detail: str, **more: Any) -> Response:  # noqa: ANN401  # any JSON value
    return Response(problem(status, kind, detail, **more), status_code=status, media_type=PROBLEM_TYPE)


# The handlers' second parameter has the type that Starlette asks for; each is registered for one class.
def _invalid_by_model(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as registered
    # The message never quotes what was sent.
    found = [{"parameter": _place(fault["loc"]), "detail": _fault(fault)} for fault in error.errors()]
    first = found[0]
    detail = f"{first['parameter']}: {first['detail']}"
    return _problem(400, "invalid-parameter", detail, parameter=first["parameter"], errors=found)


def _place(location: Sequence[int | str]) -> str:
    """Return the name in a location: ("query", name) or longer; of a body that cannot be read, ("body", place)."""
    name = location[1] if len(location) > 1 else location[0]
    return name if isinstance(name, str) else str(location[0])


def _fault(fault: dict[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "there is no such parameter"
    if fault["loc"] == ("body",) and fault["type"] == "model_attributes_type":
        return "send a JSON object, with Content-Type: application/json"
    return str(fault["msg"]).removeprefix("Value error, ")


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidRequestError)  # noqa: S101  # as registered
    found = [{"parameter": error.parameter, "detail": error.detail}]
    return _problem(400, "invalid-parameter", str(error), parameter=error.parameter, errors=found)


def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, ForbiddenError)  # noqa: S101  # as registered
    if error.role in _RECORDED:
        caller: Caller = request.state.caller
        log: AuditService = request.app.state.audit
        try:
            log.record(caller.asks(route_of(request)), subject_of(request), result=AccessResult.REFUSED)
        except StoreUnavailableError as fault:
            return _unavailable(request, fault)
    kind = "limited-role" if isinstance(error, LimitedRoleError) else "missing-role"
    return _problem(403, kind, str(error), role=error.role)


def _not_found(_request: Request, error: Exception) -> Response:
    return _problem(404, "not-found", str(error))


def _not_possible(_request: Request, error: Exception) -> Response:
    return _problem(409, "not-possible", str(error))


def _unavailable(_request: Request, error: Exception) -> Response:
    logger.error("audit.unavailable %s", error)
    response = _problem(503, "unavailable", "a store does not answer; try again")
    response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as registered
    kinds = {
        401: "not-signed-in",
        403: "refused-caller",
        404: "not-found",
        413: "too-large",
        429: "too-many-requests",
        503: "unavailable",
    }
    if error.status_code == 405:
        return _not_allowed(request)
    response = _problem(error.status_code, kinds.get(error.status_code, "refused"), error.detail)
    response.headers.update(error.headers or {})
    return response


def _not_allowed(request: Request) -> Response:
    """Return 405 with all methods that the path takes: Starlette names those of one route alone."""
    scope = request.scope
    known: Mapping[str, set[str]] = request.app.state.methods
    of_path = known.get(scope["route"].path_format)
    taken = [
        method
        for method in _METHODS
        if (
            any(route.matches({**scope, "method": method})[0] is Match.FULL for route in request.app.routes)
            if of_path is None
            else method in of_path
        )
    ]
    allowed = ", ".join(taken[:1] + ["HEAD"] * ("GET" in taken) + taken[1:])
    response = _problem(405, "method-not-allowed", f"this path takes {allowed}")
    response.headers["Allow"] = allowed
    return response


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
