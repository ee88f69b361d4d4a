"""A request -> who asks and what they may: the one place that tells callers apart."""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

import orjson
from fastapi import Request
from starlette.exceptions import HTTPException

from shared.errors import ConfigurationError, ForbiddenError, InvalidRequestError
from shared.services.audit import Reader

__all__ = [
    "AuthSettings",
    "Authenticator",
    "Caller",
    "EntraAuthenticator",
    "LocalAuthenticator",
    "Role",
    "authenticator",
    "require",
]


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
        """`local` or `entra`."""

    @property
    def in_azure(self) -> bool:
        """Whether this is the app's site in Azure."""

    @property
    def signs_in(self) -> bool:
        """Whether App Service authentication stands before the app."""


def authenticator(settings: AuthSettings) -> Authenticator:
    """Return the way of telling callers that the settings choose.

    Raises:
        ConfigurationError: anybody could send the headers that tell: local ones in Azure, or those of
            App Service authentication where it is off.
    """
    if settings.auth == "entra":
        if not settings.signs_in:
            raise ConfigurationError("PROMPTLEDGER_AUTH=entra needs App Service authentication, which is off")
        return EntraAuthenticator()
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


_PRINCIPAL_HEADER: Final = "X-MS-CLIENT-PRINCIPAL"
_CLAIM: Final = {
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role": "roles",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "upn",
    "azp": "appid",
}
"""Claims that App Service authentication writes by a long name, depending on the token's version."""
_NAMES: Final = ("preferred_username", "upn", "appid")


class EntraAuthenticator:
    """Trusts the principal of App Service authentication, which takes the header from whoever else sends it."""

    def caller(self, request: Request) -> Caller:
        """Return the caller of the validated Entra token; see the protocol."""
        claims = _claims_in(request.headers.get(_PRINCIPAL_HEADER, ""))
        oid = next(iter(claims.get("oid", ())), None)
        if oid is None:
            raise HTTPException(
                401, "sign in with an Entra token of the audit API", headers={"WWW-Authenticate": "Bearer"}
            )
        name = next((claims[kind][0] for kind in _NAMES if kind in claims), None)
        known = {role.value: role for role in Role}
        roles = frozenset(known[told] for told in claims.get("roles", ()) if told in known)
        return Caller(oid if name is None else f"{name} ({oid})", roles)


def _claims_in(principal: str) -> dict[str, list[str]]:
    """Return the values of a principal's claims by their short names; none of what cannot be read."""
    try:
        told = orjson.loads(base64.b64decode(principal, validate=True))
    except (binascii.Error, ValueError):
        return {}
    claims: dict[str, list[str]] = {}
    listed = told.get("claims") if isinstance(told, dict) else None
    for claim in listed if isinstance(listed, list) else ():
        kind, value = (claim.get("typ"), claim.get("val")) if isinstance(claim, dict) else (None, None)
        if isinstance(kind, str) and isinstance(value, str) and value:
            claims.setdefault(_CLAIM.get(kind, kind), []).append(value)
    return claims


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
