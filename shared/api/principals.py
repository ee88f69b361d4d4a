"""Callers that App Service authentication vouches for: the principal that it passes on in a header."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import orjson
from fastapi import Request

from shared.api.callers import Caller, identified, known_roles, not_signed_in
from shared.api.issuers import issuers_of

__all__ = ["PrincipalAuthenticator"]

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
_OVERAGE: Final = frozenset({"_claim_names", "hasgroups"})


class PrincipalAuthenticator:
    """Trusts the principal of App Service authentication, which takes the header from whoever else sends it."""

    def __init__(self, tenant_ids: Collection[str]) -> None:
        """Let in whom Entra's own tokens of these tenants name, whose ids are in lower case."""
        self._issuers = {tenant: issuers_of(tenant) for tenant in tenant_ids}

    def caller(self, request: Request) -> Caller:
        """Return the caller of the validated Entra token; see the protocol."""
        claims = _claims_in(request.headers.getlist(_PRINCIPAL_HEADER))
        oid = identified(_only(claims, "oid"))
        tenant, issuer = _only(claims, "tid").lower(), _only(claims, "iss").lower()
        if oid is None or issuer not in self._issuers.get(tenant, ()):
            raise not_signed_in()
        return Caller(
            id=oid,
            name=next((claims[kind][0] for kind in _NAMES if kind in claims), None),
            roles=known_roles(claims.get("roles", ())),
            app_id=_only(claims, "appid") or None,
            # Entra leaves the groups out where there are too many, and says so by other claims.
            groups=None if _OVERAGE & claims.keys() else frozenset(claims.get("groups", ())),
        )


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
