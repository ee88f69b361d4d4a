"""Documents as the content table holds them: zstd frames, made with the newest dictionary that we ship.

A frame names its dictionary. Dictionaries stay for ever, as documents do: 0 is none, of before there were any. How they
are made: tests/tools/dictionary.py; what they are worth: docs/adr/0014-bytes-and-keys.md.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import zstandard

from shared.errors import StoreRefusedError
from shared.stores.content_ports import ContentDocument, PackedDocument

__all__ = ["NEWEST", "packed", "unpacked"]

NEWEST: Final = 1
"""The dictionary that documents are written with. Ship one a release before it becomes the newest."""
_LEVEL: Final = 3
"""With a dictionary as quick as the quickest is without."""
_FOLDER: Final = Path(__file__).parent / "dictionaries"

_threads: Final = threading.local()
"""What compresses is no two threads' at once, and making it costs more than a document."""


def packed(documents: Sequence[ContentDocument]) -> list[PackedDocument]:
    """Return documents as rows of the table hold them."""
    compress = _compress()
    return [(interaction_id, document, compress(body)) for interaction_id, document, body in documents]


def unpacked(body: bytes) -> bytes:
    """Return the document in a row.

    Raises:
        StoreRefusedError: a newer version wrote it, with a dictionary that this one does not have.
    """
    number = zstandard.get_frame_parameters(body).dict_id
    return zstandard.ZstdDecompressor(dict_data=_dictionary(number) if number else None).decompress(body)


def _compress() -> Callable[[bytes], bytes]:
    compress: Callable[[bytes], bytes] | None = getattr(_threads, "compress", None)
    if compress is None:
        dictionary = _dictionary(NEWEST)
        compress = _threads.compress = zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary).compress
    return compress


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    try:
        data = (_FOLDER / f"{number}.zdict").read_bytes()
    except FileNotFoundError as error:
        raise StoreRefusedError(f"content was packed with dictionary {number}, which this version lacks") from error
    dictionary = zstandard.ZstdCompressionDict(data)
    dictionary.precompute_compress(level=_LEVEL)
    return dictionary
