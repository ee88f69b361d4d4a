"""Claimed bodies: native events that claim one, and Blob storage in memory.

tests/contracts/test_claimed_bodies.py holds the one in memory to what Azurite and the real client do.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from shared.domain.reassembly.claim_checks import Claim, ClaimFault
from shared.stores.blob import is_plain, sha256_in
from tests.builders.events import a_request, a_response

__all__ = ["CONTAINER", "MemoryBodies", "a_claim", "as_bytes", "claiming"]

CONTAINER = "bodies"


def as_bytes(body: Any) -> bytes:
    """Return a body as the policy writes it."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def a_claim(blob: str, body: Any, **changes: Any) -> dict[str, Any]:
    """Return a `bodyRef` for a body."""
    data = as_bytes(body)
    told = {"container": CONTAINER, "blob": blob, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return told | changes


def claiming(call: str, blob: str, body: Any, *, part: str = "request", **changes: Any) -> bytes:
    """Return a native event whose body is in Blob storage."""
    build = a_request if part == "request" else a_response
    return build(call, **{"body": None, "bodyRef": a_claim(blob, body)} | changes)


class MemoryBodies:
    """`shared.stores.ports.ClaimedBodies` in a dictionary: (container, blob) -> bytes."""

    def __init__(self, *containers: str, largest: int = 1024 * 1024) -> None:
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.is_down = False
        self.fetched: list[int] = []
        """How many were asked for together."""
        self._containers = containers or (CONTAINER,)
        self._largest = largest

    def upload(self, blob: str, body: Any, container: str = CONTAINER) -> None:
        self.blobs[container, blob] = as_bytes(body)

    def fetch(self, claims: Sequence[Claim]) -> list[bytes | ClaimFault]:
        self.fetched.append(len(claims))
        return [self._fetch(claim) for claim in claims]

    def _fetch(self, claim: Claim) -> bytes | ClaimFault:
        if claim.container not in self._containers or not is_plain(claim.blob):
            return ClaimFault.FOREIGN
        if self.is_down:
            return ClaimFault.UNREACHABLE
        if (claim.size or 0) > self._largest:
            return ClaimFault.LARGE
        body = self.blobs.get((claim.container, claim.blob))
        return ClaimFault.ABSENT if body is None else self._verified(body, claim)

    def _verified(self, body: bytes, claim: Claim) -> bytes | ClaimFault:
        if claim.size is not None and len(body) != claim.size:
            return ClaimFault.SIZE
        if len(body) > self._largest:
            return ClaimFault.LARGE
        if claim.sha256 is not None and sha256_in(claim.sha256) != hashlib.sha256(body).digest():
            return ClaimFault.CHECKSUM
        return body
