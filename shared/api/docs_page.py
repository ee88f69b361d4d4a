"""`/api/docs`: Swagger UI, in which people try requests; all of its files lie in a package, and come from here."""

from functools import cache
from html import escape
from importlib import resources
from typing import Final

from fastapi import FastAPI, HTTPException, Response

__all__ = ["serve_docs"]

_PACKAGE: Final = "fastapi_swagger"
_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_HEADERS: Final = {
    # Scripts and styles are files of ours, and requests go to us alone: a token that was typed in can go nowhere else.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
_CACHED: Final = {"Cache-Control": "public, max-age=3600"}
"""They are the same for everybody."""

# What is typed in is kept in the page alone, and the document is no other than ours, whatever the address says.
_START: Final = """\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""


def serve_docs(app: FastAPI) -> None:
    """Publish `/api/docs` and its files; they hold no data and need no role."""

    @app.get("/api/docs", include_in_schema=False)
    def read_docs() -> Response:
        return Response(_page(app.title), media_type="text/html", headers=_HEADERS)

    @app.get("/api/docs/start.js", include_in_schema=False)
    def read_start() -> Response:
        return Response(_START, media_type="text/javascript", headers=_CACHED)

    @app.get("/api/docs/{name}", include_in_schema=False)
    def read_file(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404, "the page has no such file")
        return Response(_file(name), media_type=_FILES[name], headers=_CACHED)


@cache
def _file(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath("resources", name).read_bytes()


def _page(title: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="docs/swagger-ui.css"><script src="docs/swagger-ui-bundle.js" defer></script>'
        '<script src="docs/start.js" defer></script></head><body>'
        '<noscript>Without scripts: <a href="openapi.json">openapi.json</a></noscript><div id="page"></div>'
        "</body></html>"
    )
