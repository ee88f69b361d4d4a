"""Blob storage: claimed bodies, only from where the settings say, and the files of exports."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any, Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, StorageStreamDownloader

from shared.domain.reassembly.claim_checks import Claim, ClaimFault
from shared.errors import StoreRefusedError, StoreUnavailableError
from shared.settings import ClaimAccount

__all__ = ["BlobClaimedBodies", "BlobExportFiles", "connected", "is_plain", "sha256_in"]

_AT_ONCE: Final = 8
_RANGE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one request: what is in memory beside the body itself."""
_NAME_LENGTH: Final = 1024


class BlobClaimedBodies:
    """`shared.stores.ports.ClaimedBodies` in Blob storage."""

    def __init__(self, connect: Callable[[], BlobServiceClient], *, containers: frozenset[str], largest: int) -> None:
        """Use the account that `connect` returns, which is called with the first claim.

        Args:
            connect: may raise AzureError.
            containers: no other is ever asked, whatever an event says.
            largest: bytes; no larger body is read.
        """
        self._connect = connect
        self._containers = containers
        self._largest = largest
        self._client: BlobServiceClient | None = None
        self._lock = Lock()

    def fetch(self, claims: Sequence[Claim]) -> list[bytes | ClaimFault]:
        """Return bodies, verified, or why they cannot be had; see the port."""
        if len(claims) == 1:
            return [self._fetch(claims[0])]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="claims") as pool:
            return list(pool.map(self._fetch, claims))

    def close(self) -> None:
        """Give back the connections; a later call opens them anew."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _fetch(self, claim: Claim) -> bytes | ClaimFault:
        if claim.container not in self._containers or not is_plain(claim.blob):
            return ClaimFault.FOREIGN
        if claim.size is not None and claim.size > self._largest:
            return ClaimFault.LARGE
        try:
            blob = self._connected().get_blob_client(claim.container, claim.blob)
            return self._read(blob.download_blob(), claim)
        except (ResourceNotFoundError, ResourceModifiedError):
            # Somebody writes it now, or has not yet.
            return ClaimFault.ABSENT
        except AzureError:
            return ClaimFault.UNREACHABLE

    def _read(self, stream: StorageStreamDownloader[bytes], claim: Claim) -> bytes | ClaimFault:
        if claim.size is not None and stream.size != claim.size:
            return ClaimFault.SIZE
        if stream.size > self._largest:
            return ClaimFault.LARGE
        checksum = hashlib.sha256()
        body = BytesIO()
        for chunk in stream.chunks():
            checksum.update(chunk)
            body.write(chunk)
        if claim.sha256 is not None and sha256_in(claim.sha256) != checksum.digest():
            return ClaimFault.CHECKSUM
        return body.getvalue()

    def _connected(self) -> BlobServiceClient:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client


class BlobExportFiles:
    """`shared.stores.export_ports.ExportFiles` in a container, which must be there."""

    def __init__(self, connect: Callable[[], BlobServiceClient], container: str) -> None:
        """Use the account that `connect` returns, which is called with the first file."""
        self._connect = connect
        self._container = container
        self._client: BlobServiceClient | None = None
        self._lock = Lock()

    def keep(self, name: str, body: bytes) -> bool:
        """Keep a file unless it is there; see the port."""
        with _translated():
            try:
                self._connected().get_blob_client(self._container, name).upload_blob(body, overwrite=False)
            except ResourceExistsError:
                return False
            return True

    def read(self, name: str) -> Iterator[bytes] | None:
        """Return a file in pieces; see the port."""
        with _translated():
            try:
                stream = self._connected().get_blob_client(self._container, name).download_blob()
            except ResourceNotFoundError as error:
                if _word_of(error) == _NO_CONTAINER:
                    raise
                return None

        def blocks() -> Iterator[bytes]:
            with _translated():
                yield from stream.chunks()

        return blocks()

    def remove(self, folder: str) -> None:
        """Remove files by the beginning of their names; see the port."""
        with _translated():
            container = self._connected().get_container_client(self._container)
            for blob in container.list_blob_names(name_starts_with=f"{folder}/"):
                try:
                    container.delete_blob(blob)
                except ResourceNotFoundError:
                    continue  # the account's own rule was first

    def close(self) -> None:
        """Give back the connections; a later call opens them anew."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _connected(self) -> BlobServiceClient:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client


_NO_CONTAINER: Final = "ContainerNotFound"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientAuthenticationError, ResourceNotFoundError) as error:
        raise StoreRefusedError(f"Blob storage keeps no export's file: {_word_of(error)}") from error
    except AzureError as error:
        raise StoreUnavailableError(f"Blob storage does not answer about exports: {_word_of(error)}") from error


def _word_of(error: AzureError) -> str:
    """Return what went wrong in a word of the service's: the message may hold addresses."""
    return str(getattr(error, "error_code", None) or type(error).__name__)


def connected(account: ClaimAccount) -> BlobServiceClient:
    """Return a client of the account that the settings name; nothing is sent yet."""
    options: dict[str, Any] = {
        "max_single_get_size": _RANGE_BYTES,
        "max_chunk_get_size": _RANGE_BYTES,
        "retry_total": 3,
        "connection_timeout": 5,
        "read_timeout": 30,
    }
    if account.connection_string is not None:
        return BlobServiceClient.from_connection_string(account.connection_string, **options)

    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # heavy, and an emulator does without

    return BlobServiceClient(account.url, DefaultAzureCredential(), **options)


def is_plain(name: str) -> bool:
    """Return whether a blob's name stays in its container: HTTP resolves dots before the service sees them."""
    if len(name) > _NAME_LENGTH or not name.isprintable() or "\\" in name:
        return False
    return not any(segment.strip(".") == "" and segment for segment in name.split("/"))


def sha256_in(written: str) -> bytes | None:
    """Return the digest that is written in hexadecimal or in base64."""
    try:
        return bytes.fromhex(written) if len(written) == 64 else base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
