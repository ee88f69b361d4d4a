"""`/api/dashboard`: its pages, and the files that they refer to."""

from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response

from shared.api.dashboard import access, calls, money, overview, people, pipeline
from shared.api.dashboard.frame import HOME, PageRoute, asset, page
from shared.api.routes.common import AnyCaller

__all__ = ["serve_dashboard"]

_rest: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


@_rest.get("/help")
def show_help(request: Request, _caller: AnyCaller) -> Response:
    """Show what each figure means, and where it comes from."""
    return page(request, "help")


@_rest.get("/ledger.css")
def send_style() -> Response:
    """Send the stylesheet."""
    return asset("ledger.css", "text/css; charset=utf-8")


@_rest.get("/icon.svg")
def send_icon() -> Response:
    """Send the icon."""
    return asset("icon.svg", "image/svg+xml")


def serve_dashboard(app: FastAPI) -> None:
    """Serve all of it."""
    for part in (overview.router, calls.router, people.router, money.router, pipeline.router, access.router, _rest):
        app.include_router(part, prefix=HOME)
