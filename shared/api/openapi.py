"""The OpenAPI document, and the page that shows it without a script or a file from elsewhere."""

import base64
import hashlib
from functools import cache, partial
from html import escape
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from shared.api.responses import json_response
from shared.problem import PROBLEM_TYPE

__all__ = ["serve_openapi"]

_FRAMEWORKS_OWN: Final = ("HTTPValidationError", "ValidationError")

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
h2 { font: 600 1.1rem/1.5 ui-monospace, monospace; margin: 2.5rem 0 .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ccc; }
code { font-family: ui-monospace, monospace; }
"""


def serve_openapi(app: FastAPI) -> None:
    """Publish `/api/openapi.json` and `/api/docs`; they hold no data and need no role."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    # Made at the first request: most processes get none.
    document = cache(partial(_document, app))

    @app.get("/api/openapi.json", include_in_schema=False)
    def read_openapi() -> Response:
        return json_response(document())

    @app.get("/api/docs", include_in_schema=False)
    def read_docs() -> Response:
        return Response(_page(document()), media_type="text/html", headers={"Content-Security-Policy": policy})


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for methods in document["paths"].values():
        for operation in methods.values():
            responses = operation["responses"]
            # The framework describes its own validation error; ours is a 400.
            responses.pop("422", None)
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = {PROBLEM_TYPE: response["content"].pop("application/json")}
    for name in _FRAMEWORKS_OWN:
        document["components"]["schemas"].pop(name, None)
    return document


def _page(document: dict[str, Any]) -> str:
    info = document["info"]
    operations = [
        _operation(path, method, operation, document["components"]["schemas"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        f'<p>The whole of it, with the shapes of the answers: <a href="openapi.json">openapi.json</a></p>'
        f"{''.join(operations)}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = "".join(_parameter(parameter, schemas) for parameter in operation.get("parameters", ()))
    table = f"<table><tr><th>parameter<th>in<th>values<th>meaning</tr>{rows}</table>" if rows else ""
    problems = ", ".join(status for status in operation["responses"] if status >= "400")
    return (
        f"<h2>{method.upper()} {escape(path)}</h2><p>{escape(operation['description'])}</p>"
        f"<p>Role: <code>{operation['x-required-role']}</code>. Problems: {problems}.</p>{table}"
    )


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> str:
    schema = parameter["schema"]
    kind = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    if "$ref" in kind:
        kind = schemas[kind["$ref"].rpartition("/")[2]]
    values = ", ".join(map(str, kind["enum"])) if "enum" in kind else kind["type"]
    cells = (parameter["name"], parameter["in"], values, parameter.get("description", ""))
    return f"<tr>{''.join(f'<td>{escape(cell)}' for cell in cells)}</tr>"
