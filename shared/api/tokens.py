"""Callers with an Entra access token, which is validated here: whatever stands before the app, or nothing.

Imported only where the settings say so: PyJWT and cryptography take a while.
Source: learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens; RFC 8725.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
from fastapi import Request
from starlette.exceptions import HTTPException

from shared.api.callers import Caller, identified, known_roles, not_signed_in
from shared.api.issuers import issuers_under
from shared.api.signing_keys import KeysUnavailableError, SigningKeys
from shared.token_settings import TokenSettings

__all__ = ["TokenAuthenticator"]

logger = logging.getLogger(__name__)

_ALGORITHM: Final = "RS256"
"""The one that Entra signs with. A token never chooses: not `none`, nor a secret that is a public key."""
_SKEW_SECONDS: Final = 60
_LONGEST: Final = 16 * 1024
"""Characters of a token: twice as many as one with 200 groups, the most that Entra writes into it."""
_NAMES: Final = ("preferred_username", "upn")
_RETRY_SECONDS: Final = "5"


class TokenAuthenticator:
    """Trusts what a token of one of the tenants says, for this API, signed by Entra, at this moment."""

    def __init__(self, settings: TokenSettings, keys_of: Callable[[str], SigningKeys] = SigningKeys) -> None:
        """Take tokens as `settings` say; `keys_of` makes the keys at a URL."""
        self._settings = settings
        self._issuers = {tenant: issuers_under(settings.authority, tenant) for tenant in settings.tenant_ids}
        self._keys = {
            tenant: keys_of(f"{settings.authority}/{tenant}/discovery/v2.0/keys") for tenant in settings.tenant_ids
        }

    def caller(self, request: Request) -> Caller:
        """Return the caller that the token names; see the protocol."""
        token = _token_in(request)
        try:
            claims = self._claims(token)
        except jwt.PyJWTError as error:
            raise self._refused(_reason(error)) from error
        except (RecursionError, ValueError) as error:
            # The library's reader of JSON gives up on what is nested too deeply.
            raise self._refused(_UNREADABLE) from error
        except KeysUnavailableError as error:
            detail = "the keys that tokens are signed with cannot be had; try again"
            raise HTTPException(503, detail, headers={"Retry-After": _RETRY_SECONDS}) from error
        oid = identified(claims.get("oid"))
        if oid is None:
            raise self._refused("it names nobody: there is no oid")
        app_id = _app_id(claims)
        if self._settings.client_ids and app_id not in self._settings.client_ids:
            raise self._refused("it was issued to another application")
        self._is_for_our_scope(claims)
        return Caller(
            id=oid,
            name=next((claims[name] for name in _NAMES if isinstance(claims.get(name), str)), app_id),
            roles=known_roles(_listed(claims.get("roles"))),
            app_id=app_id,
            groups=_groups(claims),
        )

    def _claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a genuine token of ours.

        Raises:
            jwt.PyJWTError: it is none.
            KeysUnavailableError: that cannot be told.
        """
        header = jwt.get_unverified_header(token)
        if header.get("alg") != _ALGORITHM:
            raise jwt.InvalidAlgorithmError
        # Only to choose the keys: nothing of it counts before the signature does.
        stated = jwt.decode(token, options={"verify_signature": False})
        tenant = stated.get("tid")
        keys = self._keys.get(tenant.lower()) if isinstance(tenant, str) else None
        if keys is None:
            raise _TenantError
        key = keys.key(str(header.get("kid")))
        if key is None:
            raise jwt.InvalidSignatureError
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=list(self._settings.audiences),
            issuer=list(self._issuers[stated["tid"].lower()]),
            leeway=_SKEW_SECONDS,
            options={"require": ["aud", "exp", "iss", "nbf", "tid", "oid"]},
        )
        return claims

    def _is_for_our_scope(self, claims: Mapping[str, Any]) -> None:
        """Raise HTTPException 403 where somebody let an application do something else than ask here for them.

        An application that asks for itself has no `scp`, and its roles are its own.
        """
        if "scp" in claims and self._settings.scope not in str(claims["scp"]).split():
            challenge = f'Bearer error="insufficient_scope", scope="{self._settings.scope}"'
            detail = f"the token is for another scope than {self._settings.scope}"
            raise HTTPException(403, detail, headers={"WWW-Authenticate": challenge})

    def _refused(self, reason: str) -> HTTPException:
        logger.warning("audit.token_refused %s", reason)
        return not_signed_in(reason)


_UNREADABLE: Final = "it cannot be read"


class _TenantError(jwt.PyJWTError):
    """The token is of another tenant."""


_REASONS: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (_TenantError, "it is of another tenant"),
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not valid yet"),
    (jwt.InvalidAudienceError, "it is for another audience"),
    (jwt.InvalidIssuerError, "it is from another issuer"),
    (jwt.MissingRequiredClaimError, "a claim is missing"),
    (jwt.InvalidSignatureError, "its signature is not by a key of the tenant"),
    (jwt.InvalidAlgorithmError, "it is not signed with RS256"),
    (jwt.PyJWTError, _UNREADABLE),
)


def _reason(error: jwt.PyJWTError) -> str:
    """Return what is wrong with a token, in words of ours: nothing that it says is repeated."""
    return next(words for kind, words in _REASONS if isinstance(error, kind))


def _token_in(request: Request) -> str:
    """Return the one bearer token of a request (RFC 6750, section 2.1)."""
    headers = request.headers.getlist("authorization")
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise not_signed_in()
    token = token.strip()
    if len(token) > _LONGEST:
        raise not_signed_in("it is longer than any of Entra's")
    return token


def _app_id(claims: Mapping[str, Any]) -> str | None:
    """Return the client id of the application that asks: `azp` in version 2, `appid` in version 1; None of two."""
    named = {claims[name].lower() for name in ("azp", "appid") if isinstance(claims.get(name), str)}
    return named.pop() if len(named) == 1 else None


def _groups(claims: Mapping[str, Any]) -> frozenset[str] | None:
    # Where there are more groups than fit, Entra leaves them all out and says so by other claims.
    if "hasgroups" in claims or "groups" in (claims.get("_claim_names") or ()):
        return None
    return frozenset(one for one in _listed(claims.get("groups")) if isinstance(one, str))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
