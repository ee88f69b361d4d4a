"""Callers on a developer's machine: told by headers that anybody there may write."""

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

from shared.api.callers import Caller, Role
from shared.domain.values import text
from shared.errors import InvalidRequestError

__all__ = ["LocalAuthenticator"]

_MOST_NAME: Final = 256
"""Letters of UTF-16 of a caller's name that records keep."""

_USER_HEADER: Final = "X-Local-User"
_ROLES_HEADER: Final = "X-Local-Roles"
_GROUPS_HEADER: Final = "X-Local-Groups"
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
    """Trusts some headers of callers on this machine; without them the caller has all roles."""

    def __init__(self, token: str = "") -> None:
        """Let callers in by their loopback address; where no address is known, by `token`, if there is one."""
        self._token = token

    def caller(self, request: Request) -> Caller:
        """Return the caller that the headers name; see the protocol."""
        if not (_is_for_this_machine(request) and self._is_from_this_machine(request)):
            raise HTTPException(403, "local role headers are for callers on a loopback address only")
        names = request.headers.get(_ROLES_HEADER)
        roles = frozenset(Role) if names is None else _roles(names.split(","))
        groups = frozenset(name.strip() for name in request.headers.get(_GROUPS_HEADER, "").split(",")) - {""}
        name = text(request.headers.get(_USER_HEADER), _MOST_NAME) or "local"
        return Caller(id=name, roles=roles, groups=groups)

    def _is_from_this_machine(self, request: Request) -> bool:
        """Return whether the peer is on this machine, or proves it where nobody tells who the peer is.

        The Functions host tells no address, and any caller can write `Host: localhost`.
        """
        if request.client is not None:
            return _is_loopback(request.client.host)
        sent = request.headers.get(_TOKEN_HEADER, "")
        return self._token != "" and hmac.compare_digest(sent.encode(), self._token.encode())


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
