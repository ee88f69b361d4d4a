"""Any bytes or text -> the same without secrets: the one place that takes them out, before anything is stored.

By their names (shared/domain/secrets.py), wherever these stand (secret_places.py), and by their look
(secret_shapes.py). What is replaced becomes `[removed]`, and is counted.
"""

import base64
import binascii
import re
from typing import Final, NamedTuple

import orjson
import re2

from shared.domain.secret_places import without_named
from shared.domain.secret_shapes import without_shaped
from shared.domain.secrets import REMOVED, is_secret
from shared.domain.values import Json

__all__ = ["Redaction", "is_binary_stream", "redact", "redacted", "redacted_text"]

_LONGEST: Final = 4
_TURNS: Final = 3
_MANY: Final = 4096
"""Secrets after which one look is enough: nobody has so many but to keep us busy."""
_ESCAPED: Final = re.compile(rb"(?<!\\)\\{1,16}u00(2[bfdBFD5-7]|3[a-fA-F]|40|5[fF])|(?<!\\)\\/")
"""Letters that some writers escape, though JSON needs it not: of base64, of queries, of tags."""
_ENCODED: Final = re.compile(rb'(?i:"bodyBase64")\s*:\s*"([A-Za-z0-9+/=]{16,})')
_MESSAGES: Final = re.compile(rb"\0.{3}\0\0.{6}[\x01-\x40]:", re.DOTALL)
"""How a binary stream of events begins: two lengths, a checksum, the name of a header."""
_USER: Final = re.compile(rb"://|%3a%2f%2f|:\\{1,16}/\\{1,16}/")
_FOLLOWS: Final = rb"(?:[\"'\\=:%&,]| {1,3}[=:])"
_BASE64: Final = rb"[a-z0-9+/]"
# Python skips what begins no alternative much faster than it looks for words one by one, so each alternative
# begins with a letter that is rare in events, and looks back from there.
_MARKS: Final = re.compile(
    rb"k(?:ey(?:"
    + _FOLLOWS
    + rb"|-----| is| are|(?<=k-api-key)-)|(?<=tok)en(?:"
    + _FOLLOWS
    + rb"| is)|(?<=cook)ie|(?<=sk)-|(?<=absk)[a-z0-9+/]{16}"
    rb"|(?<=[es]k)_|(?<=ak)ia[a-z0-9]{16}|(?<=sharedk)ey)"
    rb"|w(?:(?<=passw)(?:or)?d|(?<=pw)d" + _FOLLOWS + rb"|(?<=aw)s4-)"
    rb"|z(?:(?<=authoriz)ation|(?<=x-amz)-sig|(?<=aiz)a[a-z0-9_-]{30}|(?<=az)(?:se|fu|ca|eg)[a-z0-9_-]{5})"
    rb"|j(?:(?<=eyj)[a-z0-9_-]{12}|qqj99)|x(?:ox[bp]-|ai-|(?<=gocspx)-)|~(?<=[0-9]q~)|\[removed\]"
    rb"|=(?:(?<=sig=)|(?<=signature=)|(?<=sas=)|(?<=code=)"
    rb"|(?<=" + _BASE64 + rb"{86}=)(?<!" + _BASE64 + rb"{87}=)="
    rb"|(?<=aiot[a-p]" + _BASE64 + rb"{5}=)|(?<=\+(?:asb|aeh|arm)[a-p]" + _BASE64 + rb"{5}=))"
    rb"|%(?:(?<=sig%)|(?<=signature%))3d"
    rb"|_(?:(?<=gh[opusr]_)|(?<=hf_)|(?<=github_pat_)|(?<=sk_live_)|(?<=expires_))"
    rb"|\.(?:(?<=ya29\.)|(?<=aq\.)[a-z0-9_-]{30})"
    rb"|c(?:(?<=sec)ret|redential|onnstr|onnection[-_ ]?string)|a(?:ssertion)"
    rb"|b(?:earer|asic)(?:[ \t+\\]|%20)|p(?:assphrase|asscode|(?<=glp)at-)"
)


_HINTS: Final = re2.compile(
    rb"(?i)key(?:[\"'\\=:%&,]|-----| {1,3}[=:]| is| are)|k-api-key-|token(?:[\"'\\=:%&,]| {1,3}[=:]| is)|cookie"
    rb"|sk[_-]|ek_|absk|akia|sharedkey|passwo?r?d|pwd[\"'\\=:%&, ]|aws4-|authorization|x-amz-sig|aiza"
    rb"|az(?:se|fu|ca|eg)[a-z0-9_-]|eyj[a-z0-9_-]|jqqj99|xox[bp]-|xai-|gocspx-|[0-9]q~|\[removed\]|(?:sig|signature|sas|code)="
    rb"|[a-z0-9+/]==|aiot[a-p]|\+(?:asb|aeh|arm)[a-p]|(?:sig|signature)%|gh[opusr]_|hf_|github_pat_|sk_live_|expires_"
    rb"|ya29\.|aq\.|secret|credential|connstr|connection[-_ ]?string|assertion|(?:bearer|basic)[ \t+\\%]"
    rb"|passphrase|passcode|glpat-|asia|bodybase64"
)
"""One of these stands in all that needs the long look, and in more: an automaton finds them at a fifth of the time."""


class Redaction(NamedTuple):
    """What is left, and how much was taken out."""

    body: bytes
    removed: int


def redacted(body: bytes) -> bytes:
    """Return `body` without its secrets; the same object when there are none."""
    return redact(body).body


def redacted_text(text: str) -> str:
    """Return `text` without its secrets; the same object when there are none."""
    body = text.encode("utf-8", "surrogatepass")
    clean = redact(body).body
    return text if clean is body else clean.decode("utf-8", "surrogatepass")


def is_binary_stream(body: bytes) -> bool:
    """Return whether a body is a binary stream of events: whoever reads it takes its secrets out.

    Its lengths and checksums hold for what was sent, and its events may hold base64.
    """
    return _MESSAGES.match(body) is not None


def redact(body: bytes) -> Redaction:
    """Return `body` without its secrets, and their number; the same object when there are none.

    UTF-16 is read through, and so is a body in base64. Doing it twice changes nothing more.
    """
    encoding = _wide_encoding(body)
    if encoding is not None:
        plain = body.decode(encoding, "replace").encode("utf-8", "replace")
        clean, removed = redact(plain)
        return Redaction(body if clean is plain else clean.decode("utf-8", "replace").encode(encoding), removed)
    if _HINTS.search(body) is None and b"@" not in body:
        return Redaction(body, 0)
    low = body.lower()
    decoded, removed = _decoded(body) if b"bodybase64" in low else (body, 0)
    if not _may_hold_secrets(low):
        return Redaction(decoded, removed)
    del low
    clean, more = _cleaned(decoded)
    return Redaction(clean, removed + more)


def _may_hold_secrets(low: bytes) -> bool:
    """Return whether a body, in lower case, needs the long look: nearly none does."""
    return _MARKS.search(low) is not None or b"asia" in low or (b"@" in low and _USER.search(low) is not None)


def _cleaned(body: bytes) -> Redaction:
    clean = _ESCAPED.sub(_plain_letter, body) if b"\\" in body else body
    total = 0
    # What is taken out may show what stood behind it: a name that became a value.
    for turn in range(_TURNS):
        shorter, removed, is_all = without_named(clean)
        if turn and not removed:
            break
        shorter, more = without_shaped(shorter)
        if shorter == clean:
            break
        clean, total = shorter, total + removed + more
        if total > _MANY or not is_all:
            break
    if not total:
        return Redaction(body, 0)
    return Redaction(clean, total) if _is_json(clean) or not _is_json(body) else _cleaned_json(body)


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _cleaned_json(body: bytes) -> Redaction:
    """Return JSON with each of its texts cleaned alone: what could not be told apart in bytes."""
    count = 0

    def clean(value: Json) -> Json:
        nonlocal count
        if isinstance(value, str):
            cleaned, removed = _cleaned(value.encode())
            count += removed
            return cleaned.decode("utf-8", "replace") if removed else value
        if isinstance(value, list):
            return [clean(item) for item in value]
        if not isinstance(value, dict):
            return value
        members: dict[str, Json] = {}
        for received, item in value.items():
            name = clean(received)
            while name in members:  # Two names that differ in a secret alone are two names still.
                name += "'"
            if is_secret(received) and isinstance(item, str | int | float) and not isinstance(item, bool):
                count += item != REMOVED
                members[name] = REMOVED
            else:
                members[name] = clean(item)
        return members

    cleaned = clean(orjson.loads(body))
    return Redaction(orjson.dumps(cleaned), count) if count else Redaction(body, 0)


def _plain_letter(found: re.Match[bytes]) -> bytes:
    return b"/" if found[1] is None else bytes([int(found[1], 16)])


def _decoded(body: bytes) -> Redaction:
    """Return `body` with the secrets taken out that a native event's body has in base64."""
    parts: list[bytes] = []
    at = removed = 0
    for found in _ENCODED.finditer(body):
        encoded = found[1].rstrip(b"=")
        try:
            decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4) if len(encoded) % 4 != 1 else encoded[:-1])
        except (binascii.Error, ValueError):
            continue
        if is_binary_stream(decoded):
            continue
        clean, more = redact(decoded)
        if more:
            parts += [body[at : found.start(1)], base64.b64encode(clean)]
            at, removed = found.end(1), removed + more
    return Redaction(b"".join([*parts, body[at:]]), removed) if parts else Redaction(body, 0)


def _wide_encoding(body: bytes) -> str | None:
    start = body[:_LONGEST]
    if start.startswith(b"\xff\xfe") or (start[1::2] == b"\x00\x00" and start[0] and start[2]):
        return "utf-16-le"
    if start.startswith(b"\xfe\xff") or (start[::2] == b"\x00\x00" and start[1] and start[3]):
        return "utf-16-be"
    return None
