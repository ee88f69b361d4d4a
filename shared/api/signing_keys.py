"""The public keys that sign a tenant's tokens: fetched when first needed, cached, fetched anew when rotated."""

import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError

__all__ = ["KeysUnavailableError", "SigningKeys", "fetched"]

logger = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 3_600
"""After which keys are fetched anew, so that one that was withdrawn is not trusted for long."""
_KEPT_SECONDS: Final = 86_400
"""After which keys are trusted no more, though there is nobody to ask. Entra says: refresh them every day."""
_PAUSE_SECONDS: Final = 30
"""Between two fetches: whoever makes up key ids has no more of them fetched."""
_TIMEOUT_SECONDS: Final = 3
_LARGEST_DOCUMENT: Final = 1024 * 1024


class KeysUnavailableError(Exception):
    """The keys cannot be had: nobody can tell whether a token is genuine."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  # urllib's own
        """Follow nobody: keys come from where the settings say."""


def fetched(url: str) -> bytes:
    """Return what is at `url`.

    Raises:
        OSError: nothing that answers in time, or no 200.
        ValueError: more than any set of keys is.
    """
    # The scheme was looked at when the settings were read.
    with urllib.request.build_opener(_NoRedirects).open(url, timeout=_TIMEOUT_SECONDS) as response:
        document: bytes = response.read(_LARGEST_DOCUMENT + 1)
    if len(document) > _LARGEST_DOCUMENT:
        raise ValueError("the document is too large")
    return document


class SigningKeys:
    """The keys of one tenant. Used by many threads at once."""

    def __init__(
        self, url: str, *, fetch: Callable[[str], bytes] = fetched, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Fetch a JSON Web Key Set (RFC 7517) from `url` when a key is first asked for; `now` is in seconds."""
        self._url = url
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False

    def key(self, key_id: str) -> PyJWK | None:
        """Return the key with this id, None where the tenant has none such.

        Raises:
            KeysUnavailableError: that cannot be told: there are no keys, or none that are new enough.
        """
        if not self._is_younger(_FRESH_SECONDS) or key_id not in self._keys:
            with self._lock:
                # Who waited here for another's fetch finds what that one brought.
                if (not self._is_younger(_FRESH_SECONDS) or key_id not in self._keys) and self._may_try():
                    self._refresh()
        found = self._keys.get(key_id) if self._is_younger(_KEPT_SECONDS) else None
        if found is None and (self._failed or not self._is_younger(_KEPT_SECONDS)):
            raise KeysUnavailableError
        return found

    def _is_younger(self, seconds: float) -> bool:
        return self._fetched_at is not None and self._now() - self._fetched_at < seconds

    def _may_try(self) -> bool:
        return self._tried_at is None or self._now() - self._tried_at >= _PAUSE_SECONDS

    def _refresh(self) -> None:
        try:
            keys = _read(self._fetch(self._url))
        except (OSError, ValueError) as error:
            self._failed = True
            logger.error("audit.keys_unavailable %s", type(error).__qualname__)  # noqa: TRY400  # where it was is known
        else:
            self._keys, self._fetched_at, self._failed = keys, self._now(), False
        # Behind the fetch, however long that took.
        self._tried_at = self._now()


def _read(document: bytes) -> Mapping[str, PyJWK]:
    """Return the RSA keys that sign, by their ids; what cannot be read of them is passed over.

    Raises:
        ValueError: it is no set of keys, or none of them is of use.
    """
    parsed = orjson.loads(document)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    keys = {}
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("kty") != "RSA" or one.get("use", "sig") != "sig":
            continue
        key_id = one.get("kid")
        try:
            key = PyJWK({**one, "alg": "RS256"})
        except (PyJWTError, ValueError, TypeError):
            continue
        if isinstance(key_id, str):
            keys[key_id] = key
    if not keys:
        raise ValueError("there are no keys")
    return keys
