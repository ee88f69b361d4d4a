"""Secrets that are known by how they look, whatever stands before them. The only list.

Sources: Microsoft's identifiable secrets (the signatures that Azure puts into its keys), the
formats that OpenAI, Anthropic, Google, AWS, GitHub and others publish for secret scanning, RFC 7519
(JWT), RFC 7468 (PEM), RFC 6750 and 7617 (bearer and basic).
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shared.domain.secrets import REMOVED

__all__ = ["without_shaped"]

_REMOVED: Final = REMOVED.encode()


_Pattern = tuple[bytes, re.Pattern[bytes], bytes]
"""What must be there for a pattern to be worth a look, the pattern, and what replaces what it finds."""


def _token(prefix: bytes, rest: bytes) -> _Pattern:
    """Return the pattern of a token; it begins where a word begins, of escaped text too.

    The prefix stands first, for Python looks for a literal beginning much faster than for any other.
    """
    literal = re.escape(prefix)
    starts = (
        rb"(?<![A-Za-z0-9_-]" + literal + rb")",
        rb"(?<=\\[nrtbf]" + literal + rb")",
        rb"(?<=%[0-9A-Fa-f]{2}" + literal + rb")",
        rb"(?<=\\u[0-9A-Fa-f]{4}" + literal + rb")",
    )
    return prefix, re.compile(literal + rb"(?:" + rb"|".join(starts) + rb")" + rest), _REMOVED


_JWT_HEADERS: Final = (b"hbGci", b"0eXAi", b"raWQi", b"4NXQi", b"ub25j", b"6aXAi", b"jdHki", b"lbmMi")
_TOKENS: Final = (
    # Three parts; or the beginning of a header, when the rest was cut off.
    _token(b"eyJ", rb"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}"),
    _token(b"eyJ", rb"(?:" + rb"|".join(_JWT_HEADERS) + rb")[A-Za-z0-9_-]{8,}[A-Za-z0-9_.-]*"),
    _token(b"sk-", rb"(?=[A-Za-z_-]{0,128}[0-9])[A-Za-z0-9_-]{16,}"),
    _token(b"ek_", rb"[A-Za-z0-9]{16,}"),
    _token(b"AIza", rb"[0-9A-Za-z_-]{30,}"),
    _token(b"AQ.", rb"[0-9A-Za-z_-]{30,}"),
    _token(b"GOCSPX-", rb"[0-9A-Za-z_-]{20,}"),
    _token(b"ya29.", rb"[0-9A-Za-z_.-]{20,}"),
    # Bedrock's keys, for long and for hours; in base64, where the letters before may stand by chance.
    _token(b"ABSK", rb"(?<![+/]ABSK)[A-Za-z0-9+/]{16,}={0,2}"),
    _token(b"bedrock-api-key-", rb"[A-Za-z0-9+/_-]{16,}={0,2}"),
    _token(b"AKIA", rb"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token(b"ASIA", rb"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    *(_token(b"gh" + kind + b"_", rb"[A-Za-z0-9]{30,}") for kind in (b"p", b"o", b"u", b"s", b"r")),
    _token(b"github_pat_", rb"[A-Za-z0-9_]{22,}"),
    _token(b"glpat-", rb"[A-Za-z0-9_-]{20,}"),
    _token(b"xoxb-", rb"[A-Za-z0-9-]{20,}"),
    _token(b"xoxp-", rb"[A-Za-z0-9-]{20,}"),
    _token(b"hf_", rb"[A-Za-z0-9]{30,}"),
    _token(b"gsk_", rb"[A-Za-z0-9]{30,}"),
    _token(b"xai-", rb"[A-Za-z0-9]{30,}"),
    _token(b"sk_live_", rb"[A-Za-z0-9]{16,}"),
)


class _Signed(NamedTuple):
    """A key that has a known sign in its middle."""

    sign: re.Pattern[bytes]
    """The sign, and what follows it."""
    letters: bytes
    """What may stand before it."""
    before: int
    """How many of them at least; of more, these are taken."""
    marks: tuple[bytes, ...]
    """One of which is there, where the sign is."""
    exactly: bool = False


_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64: Final = _WORD + b"+/"
_SIGNED: Final = (
    _Signed(re.compile(rb"JQQJ99[A-Za-z0-9]{18,26}"), _WORD, 52, (b"JQQJ99",)),
    _Signed(re.compile(rb"AzSe[A-D][A-Za-z0-9]{5}(?![A-Za-z0-9])"), _WORD, 42, (b"AzSe",)),
    _Signed(re.compile(rb"Az(?:Fu|Ca|EG)[A-Za-z0-9_-]{5}[AQgw]=="), _WORD + b"-_", 44, (b"AzFu", b"AzCa", b"AzEG")),
    _Signed(
        re.compile(rb"(?:AIoT|\+(?:ASb|AEh|ARm))[A-P][A-Za-z0-9+/]{5}="),
        _BASE64,
        33,
        (b"AIoT", b"+ASb", b"+AEh", b"+ARm"),
    ),
    # The secret of an app registration.
    _Signed(re.compile(rb"[0-9]Q~[A-Za-z0-9_~.-]{31,34}"), _WORD + b"_~.-", 3, (b"Q~",)),
    # 64 bytes in base64: keys of storage accounts, of Cosmos DB and of others.
    _Signed(re.compile(rb"==(?![A-Za-z0-9+/=])"), _BASE64, 86, (b"==",), exactly=True),
)
_SPACE: Final = rb"(?:[ \t+]|%20|\\{1,16}[nrt]){1,4}"
_SCHEMES: Final = re.compile(
    rb"(?:bearer" + _SPACE + rb"(?P<bearer>(?=[a-z._~+/=-]{0,31}[0-9]|[a-z._~+/=-]{32})[a-z0-9._~+/=-]{16,})"
    rb"|basic" + _SPACE + rb"(?P<basic>[a-z0-9+/]{8,}={0,2})"
    rb"|sharedkey(?:lite)?" + _SPACE + rb"(?P<shared>[\w-]{1,64}:[a-z0-9+/=]{16,})"
    rb"|aws4-(?:hmac|ecdsa-p256)-sha256"
    + _SPACE
    + rb'(?P<aws>(?:credential|signedheaders|signature)=[^"\\\r\n]{1,2048})'
    rb"|signature(?:=|%3d)(?P<signature>[0-9a-f]{64})"
    rb"|sharedaccesssignature" + _SPACE + rb'(?P<sas>s[rig]+=[^"\\\s]{1,2048}))'
)
_SCHEME_MARKS: Final = (b"bearer", b"basic", b"sharedkey", b"aws4-", b"signature", b"sharedaccesssignature")

_PEM_INSIDE: Final = rb"[A-Za-z0-9+/=\s\\:,-]"
_PEM: Final = re.compile(
    rb"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:" + _PEM_INSIDE + rb"{0,10000}?-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
    rb"|" + _PEM_INSIDE + rb"{0,10000})"
)
_USER: Final = re.compile(rb'://(?!\[removed\]@)[^\s/?#"\\<>`]{1,256}@')
_USER_ENCODED: Final = re.compile(rb"%3[Aa]%2[Ff]%2[Ff](?:[A-Za-z0-9._~-]|%3[Aa]|%2[1-9A-E]){1,256}(?:@|%40)")
_AFTER_REMOVED: Final = re.compile(rb"\[removed\][A-Za-z0-9+/=_~-]{6,}")
"""What is left of a token whose beginning was taken out in another step."""
_SPELLED: Final = re.compile(rb"[0-9a-f]{32}")
_SPOKEN: Final = re.compile(
    rb"(?:key|secret|token|password)(?:[ \t]|[\"'`:=]|\\{1,16}[nrt\"]|is|are){1,12}(?P<key>[0-9a-f]{32})(?![0-9a-z-])"
)
"""A key of 32 hexadecimal digits looks as an id does: only the word before it tells."""


_PATTERNS: Final[tuple[_Pattern, ...]] = (
    *_TOKENS,
    (b"PRIVATE KEY", _PEM, _REMOVED),
    (b"@", _USER, b"://" + _REMOVED + b"@"),
    (b"%2", _USER_ENCODED, b"%3A%2F%2F" + _REMOVED + b"@"),
    (_REMOVED, _AFTER_REMOVED, _REMOVED),
)


def without_shaped(body: bytes) -> tuple[bytes, int]:
    """Return `body` without the secrets that are known by their look, and their number."""
    low = body.lower()
    clean, count = body, 0
    for mark, pattern, kept in _PATTERNS:
        if mark in clean:
            clean, more = pattern.subn(kept, clean)
            count += more
    for signed in _SIGNED:
        if any(mark in clean for mark in signed.marks):
            clean, more = _without_signed(clean, signed)
            count += more
    if any(mark in low for mark in _SCHEME_MARKS):
        clean, more = _without(clean, _SCHEMES, _JUDGES)
        count += more
    if _SPELLED.search(low) is not None:
        clean, more = _without(clean, _SPOKEN, {})
        count += more
    return clean, count


def _without_signed(body: bytes, signed: _Signed) -> tuple[bytes, int]:
    parts: list[bytes] = []
    done = 0
    for found in signed.sign.finditer(body):
        at = found.start()
        before = body[max(done, at - signed.before - 1) : at]
        signs = len(before) - len(before.rstrip(signed.letters))
        if signs == signed.before if signed.exactly else signs >= signed.before:
            parts += [body[done : at - min(signs, signed.before)], _REMOVED]
            done = found.end()
    return (b"".join([*parts, body[done:]]), len(parts) // 2) if parts else (body, 0)


def _without(
    body: bytes, pattern: re.Pattern[bytes], judges: Mapping[str, Callable[[bytes], bool]]
) -> tuple[bytes, int]:
    """Take out what the named groups of a pattern of lower case find, where their judges say so."""
    parts: list[bytes] = []
    done = 0
    for found in pattern.finditer(body.lower()):
        kind = found.lastgroup or ""
        start, end = found.span(kind)
        if kind not in judges or judges[kind](body[start:end]):
            parts += [body[done:start], _REMOVED]
            done = end
    return (b"".join([*parts, body[done:]]), len(parts) // 2) if parts else (body, 0)


def _is_basic(token: bytes) -> bool:
    bare = token.rstrip(b"=")
    try:
        return b":" in base64.b64decode(bare[: len(bare) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return False


_JUDGES: Final = {"basic": _is_basic}
