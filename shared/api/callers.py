"""A request -> who asks and what they may: the one place that tells callers apart."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

import orjson
from fastapi import Request
from starlette.exceptions import HTTPException

from shared.domain.values import text
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
    """As the records of readings and of actions keep it: of 256 letters of UTF-16 at most."""
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
        """`local` or `entra`; empty where it is not set."""

    @property
    def in_azure(self) -> bool:
        """Whether this is the app's site in Azure."""

    @property
    def signs_in(self) -> bool:
        """Whether App Service authentication stands before the app."""

    @property
    def tenant_id(self) -> str:
        """The Entra tenant of callers, in lower case; empty when it is not set."""

    @property
    def local_token(self) -> str:
        """What local callers send where no peer address is known; empty: they are refused there."""


def authenticator(settings: AuthSettings) -> Authenticator:
    """Return the way of telling callers that the settings choose.

    Raises:
        ConfigurationError: it is not set who may ask; or anybody could send the headers that tell: local
            ones in Azure, those of App Service authentication where it is off, or of any tenant.
    """
    if settings.auth == "entra":
        if not settings.signs_in:
            raise ConfigurationError("PROMPTLEDGER_AUTH=entra needs App Service authentication, which is off")
        if not settings.tenant_id:
            raise ConfigurationError("PROMPTLEDGER_TENANT_ID is not set: PROMPTLEDGER_AUTH=entra needs the tenant's id")
        return EntraAuthenticator(settings.tenant_id)
    if settings.auth != "local":
        raise ConfigurationError("PROMPTLEDGER_AUTH is not set: say `entra`, or `local` on a developer's machine")
    if settings.in_azure:
        raise ConfigurationError("PROMPTLEDGER_AUTH=local is for a developer's machine; it does not start in Azure")
    return LocalAuthenticator(settings.local_token)


def require(role: Role) -> Callable[[Request], Caller]:
    """Return a dependency that gives the caller, once it is known to have `role`."""

    def caller_with_role(request: Request) -> Caller:
        chosen: Authenticator = request.app.state.authenticator
        caller = chosen.caller(request)
        caller.needs(role)
        return caller

    return caller_with_role


_MOST_NAME: Final = 256
"""Letters of UTF-16 of a reader's name that the record of content reads keeps."""

_USER_HEADER: Final = "X-Local-User"
_ROLES_HEADER: Final = "X-Local-Roles"
_TOKEN_HEADER: Final = "X-Local-Token"  # noqa: S105  # a name
_FORWARDING: Final = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "x-client-ip",
    "x-azure-clientip",
    "x-original-for",
    "x-original-host",
)


class LocalAuthenticator:
    """Trusts two headers of callers on this machine; without them the caller has all roles."""

    def __init__(self, token: str = "") -> None:
        """Let callers in by their loopback address; where no address is known, by `token`, if there is one."""
        self._token = token

    def caller(self, request: Request) -> Caller:
        """Return the caller that the headers name; see the protocol."""
        if not (_is_for_this_machine(request) and self._is_from_this_machine(request)):
            raise HTTPException(403, "local role headers are for callers on a loopback address only")
        names = request.headers.get(_ROLES_HEADER)
        roles = frozenset(Role) if names is None else _roles(names.split(","))
        return Caller(text(request.headers.get(_USER_HEADER), _MOST_NAME) or "local", roles)

    def _is_from_this_machine(self, request: Request) -> bool:
        """Return whether the peer is on this machine, or proves it where nobody tells who the peer is.

        The Functions host tells no address, and any caller can write `Host: localhost`.
        """
        if request.client is not None:
            return _is_loopback(request.client.host)
        sent = request.headers.get(_TOKEN_HEADER, "")
        return self._token != "" and hmac.compare_digest(sent.encode(), self._token.encode())


_PRINCIPAL_HEADER: Final = "X-MS-CLIENT-PRINCIPAL"
_PROVIDER: Final = "aad"
_CLAIM: Final = {
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/identity/claims/tenantid": "tid",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role": "roles",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "upn",
    "azp": "appid",
}
"""Claims that App Service authentication writes by a long name, depending on the token's version."""
_NAMES: Final = ("preferred_username", "upn", "appid")
_ISSUERS: Final = (
    "https://login.microsoftonline.com/{}/v2.0",
    "https://sts.windows.net/{}/",
    "https://login.microsoftonline.us/{}/v2.0",
    "https://login.partner.microsoftonline.cn/{}/v2.0",
    "https://sts.chinacloudapi.cn/{}/",
)
"""Who issues a tenant's tokens: Entra of each cloud, in version 2 and 1."""
_MOST_OID: Final = 64


class EntraAuthenticator:
    """Trusts the principal of App Service authentication, which takes the header from whoever else sends it."""

    def __init__(self, tenant_id: str) -> None:
        """Let in whom Entra's own tokens of this tenant name; `tenant_id` is in lower case."""
        self._tenant_id = tenant_id
        self._issuers = frozenset(issuer.format(tenant_id) for issuer in _ISSUERS)

    def caller(self, request: Request) -> Caller:
        """Return the caller of the validated Entra token; see the protocol."""
        claims = _claims_in(request.headers.getlist(_PRINCIPAL_HEADER))
        oid = _only(claims, "oid")
        known = _only(claims, "tid").lower() == self._tenant_id and _only(claims, "iss").lower() in self._issuers
        if not known or not oid.isascii() or text(oid, _MOST_OID) != oid:
            raise HTTPException(
                401, "sign in with an Entra token of the audit API", headers={"WWW-Authenticate": "Bearer"}
            )
        name = next((claims[kind][0] for kind in _NAMES if kind in claims), None)
        named = {role.value: role for role in Role}
        roles = frozenset(named[value] for value in claims.get("roles", ()) if value in named)
        # The id comes first and is never cut: a name is only what its owner calls himself.
        return Caller(oid if name is None else f"{oid} ({text(name, _MOST_NAME - len(oid) - 3) or '?'})", roles)


def _claims_in(headers: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of a principal's claims by their short names; none of what is not one principal of Entra."""
    if len(headers) != 1:
        return {}
    try:
        principal = orjson.loads(base64.b64decode(headers[0], validate=True))
    except (binascii.Error, ValueError):
        return {}
    if not isinstance(principal, dict) or principal.get("auth_typ") != _PROVIDER:
        return {}
    claims: dict[str, list[str]] = {}
    listed = principal.get("claims")
    for claim in listed if isinstance(listed, list) else ():
        kind, value = (claim.get("typ"), claim.get("val")) if isinstance(claim, dict) else (None, None)
        if isinstance(kind, str) and isinstance(value, str) and value:
            claims.setdefault(_CLAIM.get(kind, kind), []).append(value)
    return claims


def _only(claims: Mapping[str, Sequence[str]], kind: str) -> str:
    """Return the one value of a claim; empty when there is none, or when two contradict each other."""
    values = set(claims.get(kind, ()))
    return values.pop() if len(values) == 1 else ""


def _roles(names: Iterable[str]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    wanted = {name.strip() for name in names} - {""}
    if wanted - set(known):
        raise InvalidRequestError(_ROLES_HEADER, f"the roles are {', '.join(known)}")
    return frozenset(known[name] for name in wanted)


def _is_for_this_machine(request: Request) -> bool:
    """Return whether this machine was called by a name of its own, through nobody, and by no page from elsewhere.

    A web page can have a browser call this machine, by a name of the page's own that leads here (DNS
    rebinding), or as a request from another site. Tools that are no browsers send no `Sec-Fetch-Site`.
    """
    headers = request.headers
    hosts = headers.getlist("host") or [request.url.hostname or ""]
    hosts += [_netloc(origin) for origin in headers.getlist("origin")]
    for name in _FORWARDING:
        for value in headers.getlist(name):
            hosts.extend(value.split(","))
    sites = {site.strip().lower() for site in headers.getlist("sec-fetch-site")}
    return "forwarded" not in headers and sites <= {"same-origin", "none"} and all(map(_is_loopback, hosts))


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


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
