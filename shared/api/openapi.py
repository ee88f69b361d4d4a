"""The OpenAPI document: what FastAPI says of the routes, and what holds for all of them."""

from functools import cache, partial
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from shared.api.responses import json_response
from shared.api.schemas import complete_schemas
from shared.problem import PROBLEM_TYPE

__all__ = ["openapi_of", "serve_openapi"]

_FRAMEWORKS_OWN: Final = ("HTTPValidationError", "ValidationError")
_SCHEMES: Final = {
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "an Entra access token of the audit API (PROMPTLEDGER_AUTH=entra or app-service)",
    },
    "localUser": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Local-User",
        "description": "who the caller is (PROMPTLEDGER_AUTH=local)",
    },
    "localRoles": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Local-Roles",
        "description": "the caller's roles, with commas between; all of them when left out (PROMPTLEDGER_AUTH=local)",
    },
    "localToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Local-Token",
        "description": "PROMPTLEDGER_LOCAL_TOKEN, under `func start` (PROMPTLEDGER_AUTH=local)",
    },
}
_SECURITY: Final[list[dict[str, list[str]]]] = [
    {"entra": []},
    {"localUser": [], "localRoles": []},
    {"localToken": []},
    # On a developer's machine who sends none of them has all roles.
    {},
]
"""Each is one way of saying who asks; which of them works is the deployment's choice."""


def serve_openapi(app: FastAPI) -> None:
    """Publish `/api/openapi.json`; it holds no data and needs no role."""
    # Made at the first request: most processes get none.
    document = cache(partial(openapi_of, app))

    @app.get("/api/openapi.json", include_in_schema=False)
    def read_openapi() -> Response:
        return json_response(document())


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """Return the document that describes `app`."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for methods in document["paths"].values():
        for operation in methods.values():
            responses = operation["responses"]
            # The framework describes its own validation error; ours is a 400.
            responses.pop("422", None)
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = {PROBLEM_TYPE: response["content"].pop("application/json")}
    components = document["components"]
    for name in _FRAMEWORKS_OWN:
        components["schemas"].pop(name, None)
    components["securitySchemes"] = _SCHEMES
    document["security"] = _SECURITY
    complete_schemas(components["schemas"])
    return document
