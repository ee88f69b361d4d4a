"""Files of exports in a folder: on a laptop, and wherever a disk of one's own is mounted."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from shared.errors import StoreUnavailableError

__all__ = ["FolderExportFiles"]

_BLOCK_BYTES: Final = 1024 * 1024


class FolderExportFiles:
    """`shared.stores.export_ports.ExportFiles` in a folder, which is made with the first file."""

    def __init__(self, folder: Path) -> None:
        """Keep files below `folder`, for nobody but its owner."""
        self._folder = folder

    def keep(self, name: str, body: bytes) -> bool:
        """Keep a file unless it is there; see the port."""
        path = self._folder / name
        aside = path.with_name(f".{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                # A link is made, whole, or refused because the name is taken.
                path.hardlink_to(aside)
            except FileExistsError:
                return False
            finally:
                with suppress(FileNotFoundError):
                    aside.unlink()
        except OSError as error:
            raise StoreUnavailableError(f"an export's file cannot be written: {error.strerror}") from error
        return True

    def read(self, name: str) -> Iterator[bytes] | None:
        """Return a file in blocks; see the port."""
        try:
            file = (self._folder / name).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailableError(f"an export's file cannot be read: {error.strerror}") from error

        def blocks() -> Iterator[bytes]:
            with file:
                while block := file.read(_BLOCK_BYTES):
                    yield block

        return blocks()

    def remove(self, folder: str) -> None:
        """Remove a folder of files; see the port."""
        try:
            shutil.rmtree(self._folder / folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailableError(f"an export's files cannot be removed: {error.strerror}") from error
