"""A request -> who asks and what they may: the one place that tells callers apart."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

from shared.errors import ConfigurationError, ForbiddenError, InvalidRequestError
from shared.services.audit import Reader

__all__ = ["AuthSettings", "Authenticator", "Caller", "LocalAuthenticator", "Role", "authenticator", "require"]


class Role(StrEnum):
    """The app roles."""

    USAGE_READ = "Usage.Read"
    AUDIT_READ = "Audit.Read"
    CONTENT_READ = "Content.Read"
    AUDIT_ADMIN = "Audit.Admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    """As the record of content reads keeps it."""
    roles: frozenset[Role]

    def needs(self, role: Role) -> None:
        """Raise ForbiddenError unless the caller has `role`."""
        if role not in self.roles:
            raise ForbiddenError(role.value)

    def reader(self, route: str) -> Reader | None:
        """Return the caller as a reader of content, or None without the role for it."""
        return Reader(self.name, route) if Role.CONTENT_READ in self.roles else None


class Authenticator(Protocol):
    """A way of telling who asks."""

    def caller(self, request: Request) -> Caller:
        """Return who sent `request`.

        Raises:
            HTTPException: 401 or 403, the request comes from nobody who may ask anything.
            InvalidRequestError: what should tell the caller cannot be read.
        """


class AuthSettings(Protocol):
    """The settings that choose an authenticator."""

    @property
    def auth(self) -> str:
        """`local`."""

    @property
    def in_azure(self) -> bool:
        """Whether this is the app's site in Azure."""


def authenticator(settings: AuthSettings) -> Authenticator:
    """Return the way of telling callers that the settings choose.

    Raises:
        ConfigurationError: local role headers in Azure, where anybody could send them.
    """
    if settings.auth != "local":
        raise ConfigurationError("PROMPTLEDGER_AUTH must be local")
    if settings.in_azure:
        raise ConfigurationError("PROMPTLEDGER_AUTH=local is for a developer's machine; it does not start in Azure")
    return LocalAuthenticator()


def require(role: Role) -> Callable[[Request], Caller]:
    """Return a dependency that gives the caller, once it is known to have `role`."""

    def caller_with_role(request: Request) -> Caller:
        chosen: Authenticator = request.app.state.authenticator
        caller = chosen.caller(request)
        caller.needs(role)
        return caller

    return caller_with_role


_USER_HEADER: Final = "X-Local-User"
_ROLES_HEADER: Final = "X-Local-Roles"
_FORWARDING: Final = ("x-forwarded-for", "x-real-ip", "x-client-ip", "x-azure-clientip", "x-original-for")


class LocalAuthenticator:
    """Trusts two headers, on a loopback address only; without them the caller has all roles."""

    def caller(self, request: Request) -> Caller:
        """Return the caller that the headers name; see the protocol."""
        if not _is_local(request):
            raise HTTPException(403, "local role headers are for callers on a loopback address only")
        names = request.headers.get(_ROLES_HEADER)
        roles = frozenset(Role) if names is None else _roles(names.split(","))
        return Caller(request.headers.get(_USER_HEADER, "").strip() or "local", roles)


def _roles(names: Iterable[str]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    wanted = {name.strip() for name in names} - {""}
    if wanted - set(known):
        raise InvalidRequestError(_ROLES_HEADER, f"the roles are {', '.join(known)}")
    return frozenset(known[name] for name in wanted)


def _is_local(request: Request) -> bool:
    """Return whether everything that tells where a request comes from says: this machine.

    Behind the Functions host there is no peer address, so the name that was called must be a
    loopback name: a host that listens to the network is called by another one. That, and the
    origin, also keep out web pages that have a browser call this machine.
    """
    headers = request.headers
    told = [headers.get("host") or (request.url.hostname or "")]
    if request.client is not None:
        told.append(request.client.host)
    if "origin" in headers:
        told.append(urlsplit(headers["origin"]).netloc)
    for name in _FORWARDING:
        for value in headers.getlist(name):
            told.extend(value.split(","))
    return "forwarded" not in headers and all(map(_is_loopback, told))


def _is_loopback(host: str) -> bool:
    """Return whether a host, with or without a port, is this machine: `127.0.0.1:7071`, `::1`, `localhost`."""
    host = host.strip()
    if _is_loopback_address(host):
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback_address(name)


def _is_loopback_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # Python 3.11 does not look through ::ffff:127.0.0.1 itself.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
