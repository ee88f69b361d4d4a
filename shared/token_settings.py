"""Whose tokens count: the settings that `entra` and `app-service` read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shared.errors import ConfigurationError

__all__ = ["TokenSettings"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749, section 3.3."""
_OUR_SCOPE: Final = "user_impersonation"
_AUTHORITY: Final = "https://login.microsoftonline.com"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSettings:
    """Which access tokens are ours."""

    tenant_ids: tuple[str, ...] = ()
    """In lower case."""
    audiences: tuple[str, ...] = ()
    authority: str = _AUTHORITY
    """Where the tenants' keys are, without a slash at its end."""
    scope: str = _OUR_SCOPE
    """That an application needs to ask for somebody."""
    client_ids: frozenset[str] = frozenset()
    """Applications that may ask, in lower case; empty: each that gets a token."""

    @classmethod
    def read(cls, environment: Mapping[str, str], *, in_azure: bool) -> "TokenSettings":
        """Read the settings from `environment`.

        Raises:
            ConfigurationError: one is malformed; the message names it.
        """
        scope = environment.get("PROMPTLEDGER_SCOPE", "").strip() or _OUR_SCOPE
        if not _SCOPE.fullmatch(scope):
            raise ConfigurationError("PROMPTLEDGER_SCOPE is no name of a scope")
        return cls(
            tenant_ids=_guids(environment, "PROMPTLEDGER_TENANT_ID", "give the tenant's id, not its name"),
            audiences=tuple(_parts(environment, "PROMPTLEDGER_AUDIENCE")),
            authority=_authority(environment.get("PROMPTLEDGER_AUTHORITY", ""), in_azure=in_azure),
            scope=scope,
            client_ids=frozenset(_guids(environment, "PROMPTLEDGER_CLIENTS", "give client ids of applications")),
        )


def _parts(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _guids(environment: Mapping[str, str], name: str, advice: str) -> tuple[str, ...]:
    found = [part.lower() for part in _parts(environment, name)]
    if not all(map(_GUID.fullmatch, found)):
        raise ConfigurationError(f"{name} holds what is no GUID: {advice}")
    return tuple(found)


def _authority(value: str, *, in_azure: bool) -> str:
    url = value.strip().rstrip("/")
    if not url:
        return _AUTHORITY
    parts = urlsplit(url)
    is_near = parts.scheme == "http" and parts.hostname in _LOOPBACK and not in_azure
    if not parts.hostname or not (parts.scheme == "https" or is_near) or parts.query or parts.fragment:
        raise ConfigurationError("PROMPTLEDGER_AUTHORITY is no https URL, such as https://login.microsoftonline.com")
    return url
