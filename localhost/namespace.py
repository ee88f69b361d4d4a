"""Where the settings say that the hubs and their checkpoints are, and who reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from localhost.errors import UsageError

__all__ = ["Namespace"]

_HUBS: Final = "EVENT_HUBS"
"""The `connection` of the triggers."""
_STORAGE: Final = "AzureWebJobsStorage"
_LOCAL: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Namespace:
    """An Event Hubs namespace, and the storage account of its consumers' checkpoints.

    Of each either a connection string (emulators, tests) or an address, which is read with the
    Entra identity of whoever runs this.
    """

    hubs_connection: str | None
    hubs_address: str
    """Fully qualified, as `contoso.servicebus.windows.net`."""
    storage_connection: str | None
    storage_address: str
    """The Blob service, as `https://contoso.blob.core.windows.net`."""

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> "Namespace | None":
        """Read the settings that the Functions host reads; None when they mean the local event log.

        Raises:
            UsageError: no checkpoints can be kept.
        """
        connection = settings.get(_HUBS) or None
        address = settings.get(f"{_HUBS}__fullyQualifiedNamespace", "")
        if connection is None and address in ("", _LOCAL):
            return None
        account = settings.get(f"{_STORAGE}__accountName", "")
        service = settings.get(f"{_STORAGE}__blobServiceUri", "") or (
            f"https://{account}.blob.core.windows.net" if account else ""
        )
        # The example's settings stand in for what is not set: whoever names an account means the account.
        storage = None if service else settings.get(_STORAGE) or None
        if storage is None and not service:
            raise UsageError(
                f"checkpoints need a storage account: set {_STORAGE} or {_STORAGE}__accountName beside {_HUBS}"
            )
        return cls(connection, address, storage, service)
