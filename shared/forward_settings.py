"""Who is told of calls, and whether of their texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.errors import ConfigurationError
from shared.setting_values import word_in

__all__ = ["ForwardSettings"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSettings:
    """Without an endpoint nobody is told of calls, and none are marked."""

    endpoint: str = ""
    """Of OTLP over HTTP, without the paths of its signals."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold a key."""
    has_texts: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ForwardSettings":
        """Read the settings from `environment`.

        Raises:
            ConfigurationError: one is malformed, or would send keys or texts in the open; the message names it.
        """
        endpoint = environment.get("PROMPTLEDGER_FORWARD_ENDPOINT", "").strip()
        has_texts = word_in(environment, "PROMPTLEDGER_FORWARD_TEXTS", ("off", "on")) == "on"
        headers = _headers(environment.get("PROMPTLEDGER_FORWARD_HEADERS", ""))
        host = urlsplit(endpoint)
        if endpoint and (host.scheme not in {"http", "https"} or not host.hostname):
            raise ConfigurationError("PROMPTLEDGER_FORWARD_ENDPOINT is no URL of an OTLP endpoint")
        if host.scheme == "http" and (has_texts or headers) and host.hostname not in _LOOPBACK:
            raise ConfigurationError("PROMPTLEDGER_FORWARD_ENDPOINT must begin with https, for texts and headers")
        return cls(endpoint=endpoint, headers=headers, has_texts=has_texts)


def _headers(written: str) -> dict[str, str]:
    found = {}
    for one in filter(None, map(str.strip, written.split(","))):
        name, separator, value = one.partition("=")
        if not separator or not name.strip():
            # The message must not quote it.
            raise ConfigurationError("PROMPTLEDGER_FORWARD_HEADERS: give name=value, with commas between")
        found[name.strip()] = value.strip()
    return found
