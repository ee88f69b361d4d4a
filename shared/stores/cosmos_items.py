"""Documents <-> Cosmos DB items: small ones as text, others compressed, large ones in chunks; pure."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import zstandard

from shared.stores.ports import ContentDocument

__all__ = ["CHUNK_BYTES", "PARTITION_KEY", "Item", "documents_in", "is_head", "items_of"]

Item = dict[str, Any]
"""JSON object of Cosmos DB."""

PARTITION_KEY: Final = "/interactionId"

CHUNK_BYTES: Final = 768 * 1024
"""Compressed bytes in one item: a mebibyte in base64, half of what Cosmos DB takes."""
_PLAIN_BYTES: Final = 1024
"""Up to here compressing costs more than it saves."""
_LEVEL: Final = 1
"""Fastest of zstd's regular levels, as in the SQL store."""
_CHUNK: Final = "~"
"""Between a document's name and the rest of a chunk's; no name has it."""
_SECONDS_A_DAY: Final = 86_400


def is_head(item_id: str) -> bool:
    """Return whether the item is the one by which a document is there or not."""
    return _CHUNK not in item_id


def items_of(document: ContentDocument, *, days: int) -> Iterator[Item]:
    """Yield the items that keep a document, in the order in which they are to be written: the head last.

    Equal documents have equal items, whoever writes them; chunks are named by what is in them, so
    that those of two writers never mix.

    Args:
        document: its name is a part of item ids: letters, digits and marks other than slashes, `?`, `#`, `~`.
        days: until Cosmos DB deletes them; 0 is never.
    """
    common: Item = {"interactionId": document.interaction_id, "document": document.document}
    if days:
        common["ttl"] = days * _SECONDS_A_DAY
    head = {"id": document.document, **common}
    plain = _plain(document.body)
    if plain is not None:
        yield {**head, "text": plain}
        return
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(document.body)
    if len(packed) <= CHUNK_BYTES:
        yield {**head, "zstd": _written(packed)}
        return
    chunks = _names(document.document, hashlib.sha256(packed).hexdigest()[:32], -(-len(packed) // CHUNK_BYTES))
    for place, name in enumerate(chunks):
        data = memoryview(packed)[place * CHUNK_BYTES : (place + 1) * CHUNK_BYTES]
        yield {"id": name, **common, "zstd": _written(data)}
    yield {**head, "chunks": chunks}


def documents_in(interaction_id: str, items: Iterable[Item]) -> tuple[list[ContentDocument], list[str]]:
    """Return the documents that one partition's items keep, by name, and the names of those with chunks missing.

    Chunks without a head are no document: it is being written, or was deleted.
    """
    heads: list[Item] = []
    chunks: dict[str, str] = {}
    for item in items:
        if is_head(item["id"]):
            heads.append(item)
        else:
            chunks[item["id"]] = item["zstd"]
    documents: list[ContentDocument] = []
    torn: list[str] = []
    for head in sorted(heads, key=lambda item: str(item["id"])):
        if any(name not in chunks for name in head.get("chunks", ())):
            torn.append(head["document"])
        else:
            documents.append(ContentDocument(interaction_id, head["document"], _body(head, chunks)))
    return documents, torn


def _plain(body: bytes) -> str | None:
    if len(body) > _PLAIN_BYTES:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _written(data: bytes | memoryview) -> str:
    return base64.b64encode(data).decode("ascii")


def _names(document: str, digest: str, count: int) -> list[str]:
    return [f"{document}{_CHUNK}{digest}{_CHUNK}{place}" for place in range(count)]


def _body(head: Item, chunks: dict[str, str]) -> bytes:
    if "text" in head:
        text: str = head["text"]
        return text.encode()
    parts = [chunks.pop(name) for name in head["chunks"]] if "chunks" in head else [head["zstd"]]
    return zstandard.ZstdDecompressor().decompress(b"".join(map(base64.b64decode, parts)))
