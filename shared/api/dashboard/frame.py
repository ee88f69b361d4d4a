"""What all pages share: who looks at them, how they are made, and what they say where something is wrong."""

import csv
import hashlib
import io
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shared.api.callers import Caller, Role, subject_of
from shared.api.dashboard import figures
from shared.api.parameters import refuse_repeats
from shared.domain.access_log import AccessResult
from shared.errors import (
    AppError,
    ForbiddenError,
    InvalidRequestError,
    LimitedRoleError,
    NotFoundError,
    NotPossibleError,
    StoreUnavailableError,
)
from shared.services.audit import AuditService

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = [
    "HOME",
    "Link",
    "PageRoute",
    "address",
    "asset",
    "csv_file",
    "linker",
    "page",
    "parameters_of",
    "safe_cell",
    "sent",
    "template",
    "validated",
]

logger = logging.getLogger(__name__)

HOME: Final = "/api/dashboard"
_FOLDER: Final = Path(__file__).parent
_THEMES: Final = {"light", "dark"}
_LOOKS: Final = {"theme", "refresh"}
"""Parameters of every page that say how it is shown."""
_MOST_FORM: Final = 65_536
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    # Forms tell where they were sent from, which is what `sent` asks; other hosts are told nothing.
    "Referrer-Policy": "same-origin",
}
_PAGES: Final = (
    ("", "Overview"),
    ("explore", "Explore"),
    ("people", "People"),
    ("money", "Money"),
    ("pipeline", "Pipeline"),
    ("access", "Access"),
    ("help", "Help"),
)
"""In the order of the side bar."""
Link = Callable[..., str]
"""`address` with the appearance that was chosen."""
_Model = TypeVar("_Model", bound=BaseModel)


def address(path: str, *parameters: Mapping[str, object], theme: str | None = None) -> str:
    """Return the link to a page; of a parameter that comes twice the last one holds, None and an empty text drop it."""
    merged: dict[str, object] = {"theme": theme}
    for some in parameters:
        merged |= some
    query = {name: _written(value) for name, value in merged.items() if value not in (None, "")}
    where = f"{HOME}/{path}" if path else HOME
    return f"{where}?{urlencode(query)}" if query else where


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parameters_of(model: type[_Model], request: Request) -> _Model:
    """Return the parameters of a page; empty ones, which forms send, count as left out.

    Raises:
        InvalidRequestError: one is wrong, unknown, or comes twice.
    """
    refuse_repeats(request)
    return validated(
        model, {name: value for name, value in request.query_params.items() if value and name not in _LOOKS}
    )


def validated(model: type[_Model], values: Mapping[str, str]) -> _Model:
    """Return what a page's parameters, or the fields of a form, say.

    Raises:
        InvalidRequestError: one is wrong or unknown.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0]) if fault["loc"] else "parameters"
        unknown = fault["type"] == "extra_forbidden"
        detail = "there is no such parameter" if unknown else str(fault["msg"]).removeprefix("Value error, ")
        raise InvalidRequestError(name, detail) from error


async def sent(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form that one of our own pages sent.

    Browsers say where a form was sent from, and no page can have them say otherwise: there is no token to keep.

    Raises:
        HTTPException: 403, it comes from elsewhere, or does not say; 413, it is too long.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    is_ours = site == "same-origin" if site is not None else urlsplit(origin).netloc == request.headers.get("host")
    if not is_ours:
        raise HTTPException(403, "this was not sent by a page of the dashboard")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM:
            raise HTTPException(413, f"the form has more than {_MOST_FORM} bytes")
    return parse_qs(body.decode("utf-8", "replace"), max_num_fields=500)


def linker(request: Request) -> Link:
    """Return what makes links that keep the appearance which was chosen."""
    return partial(address, theme=_theme(request))


def _theme(request: Request) -> str | None:
    theme = request.query_params.get("theme")
    return theme if theme in _THEMES else None


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401  # for a template
    """Return a page made of the template `name`."""
    caller: Caller | None = getattr(request.state, "caller", None)
    here = {name: value for name, value in request.query_params.items() if name not in {*_LOOKS, "cursor"}}
    html = template(f"{name}.html").render(
        values,
        link=linker(request),
        theme=_theme(request),
        themed=[
            (word, label, address(_path(request), here, {"theme": word, "refresh": _refresh(request)}))
            for word, label in _THEME_LINKS
        ],
        caller=caller,
        roles=sorted(role.value for role in caller.roles) if caller else [],
        pages=_PAGES,
        current=_path(request).partition("/")[0],
        here=here,
        refresh=_refresh(request),
        is_live=_path(request) in _LIVE_PAGES,
        lives=[
            (seconds, label, address(_path(request), here, {"theme": _theme(request), "refresh": seconds}))
            for seconds, label in _LIVE
        ],
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS)


_LIVE: Final = ((None, "Still"), (10, "10 s"), (60, "1 min"))
"""How often a page loads itself again, without script."""
_LIVE_PAGES: Final = {"", "explore", "pipeline"}


def _refresh(request: Request) -> int | None:
    if _path(request) not in _LIVE_PAGES:
        return None
    value = request.query_params.get("refresh")
    return next((seconds for seconds, _ in _LIVE if seconds and value == str(seconds)), None)


_THEME_LINKS: Final = ((None, "Auto"), ("light", "Light"), ("dark", "Dark"))


def _path(request: Request) -> str:
    """Return the part of a page's path behind the dashboard's."""
    return request.url.path.removeprefix(HOME).strip("/")


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a table as a file; what callers wrote must have gone through `safe_cell`."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def safe_cell(value: str) -> str:
    """Return a text that no table calculates with: what callers call themselves may begin like a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def asset(name: str, media_type: str) -> Response:
    """Return a file that pages refer to by an address that changes with it."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_bytes_of(name), media_type=media_type, headers=headers)


@cache
def _bytes_of(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


def _asset_address(name: str) -> str:
    return address(name, {"v": hashlib.sha256(_bytes_of(name)).hexdigest()[:12]})


def template(name: str) -> Any:  # noqa: ANN401  # a template, of a library that is not imported yet
    """Return a template of the dashboard."""
    return _environment().get_template(name)


@cache
def _environment() -> "Environment":
    # Imported at the first page: the event path and the JSON API never need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("ago", "change", "money", "moment", "runs", "short_id", "tokens", "grouped")
    made.filters |= {name: getattr(figures, name) for name in names}
    made.globals |= {"asset": _asset_address}
    return made


class PageRoute(APIRoute):
    """A route that answers every expected error with a page, and tells the access log who was refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with its errors."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except (AppError, HTTPException) as error:
                return await run_in_threadpool(_error_page, request, error)

        return shown


def _error_page(request: Request, error: AppError | HTTPException) -> Response:
    if isinstance(error, ForbiddenError):
        if str(error.role) in {Role.CONTENT_READ.value, Role.AUDIT_ADMIN.value}:
            caller: Caller = request.state.caller
            log: AuditService = request.app.state.audit
            log.record(caller.asks(f"{HOME}/{_path(request)}"), subject_of(request), result=AccessResult.REFUSED)
        is_limited = isinstance(error, LimitedRoleError)
        what = f"T{str(error)[1:]}." if is_limited else f"It needs the role {error.role}."
        return _message(request, 403, "You may not see this", what, _ASK_FOR_ROLE)
    if isinstance(error, InvalidRequestError):
        return _message(
            request, 400, "This address cannot be answered", f"{error}.", "Take the filter off, or mend it."
        )
    if isinstance(error, NotPossibleError):
        return _message(request, 409, "This cannot be done now", f"{error}.", "Go back, and look how things stand.")
    if isinstance(error, NotFoundError):
        return _message(request, 404, "There is nothing here", f"{error}.", "Look for the call among all calls.")
    if isinstance(error, StoreUnavailableError):
        logger.error("audit.unavailable %s", error)
        return _message(request, 503, "A store does not answer", "Nothing is lost.", "Load the page again in a moment.")
    if isinstance(error, HTTPException):
        hint = _SIGN_IN if error.status_code in {401, 403} else "Go back and try again."
        made = _message(request, error.status_code, "This was refused", f"{error.detail}.", hint)
        made.headers.update(error.headers or {})
        return made
    raise error


_ASK_FOR_ROLE: Final = "Ask who administers the app in Entra to assign it to you, then sign in again."
_SIGN_IN: Final = "Open the dashboard on the host that it is served by, and sign in there."


def _message(request: Request, status: int, title: str, what: str, hint: str) -> Response:
    return page(request, "error", status=status, title=title, what=what, hint=hint)
