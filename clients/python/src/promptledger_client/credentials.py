"""Who asks: ways of telling the API."""

from collections.abc import Generator, Sequence
from typing import Any, Protocol

import httpx

__all__ = ["EntraAuth", "LocalAuth", "TokenCredential"]


class TokenCredential(Protocol):
    """A credential of azure-identity, or one that works like it."""

    def get_token(self, *scopes: str) -> Any:  # noqa: ANN401  # an AccessToken of any version
        """Return an object whose `token` is an access token for `scopes`; it keeps tokens until they end."""


class EntraAuth(httpx.Auth):
    """Sends an Entra access token with each request."""

    def __init__(self, credential: TokenCredential, scope: str) -> None:
        """Take tokens from `credential`, for `scope`: `api://CLIENT-ID/.default`."""
        self._credential = credential
        self._scope = scope

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._credential.get_token(self._scope).token}"
        yield request


class LocalAuth(httpx.Auth):
    """Sends the headers of the local mode; for an API on this machine alone."""

    def __init__(self, user: str = "", roles: Sequence[str] | None = None, token: str = "") -> None:
        """Ask as `user` with `roles` (None: all of them); `token` is the one that `func start` needs."""
        headers = {"X-Local-User": user, "X-Local-Token": token}
        self._headers = {name: value for name, value in headers.items() if value}
        if roles is not None:
            self._headers["X-Local-Roles"] = ",".join(roles)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers."""
        request.headers.update(self._headers)
        yield request
