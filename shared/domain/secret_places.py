"""Where values stand that are secret because of the name beside them.

In bytes, not in parsed JSON: what is looked at may be cut off, may be no JSON at all, and may be
JSON inside a text inside JSON, to any depth.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from shared.domain.secrets import REMOVED, is_query_secret, is_secret

__all__ = ["without_named"]

Span = tuple[int, int]

# Of a quote inside texts inside JSON the number of backslashes is odd: behind an even number, the outer text ends.
_QUOTE: Final = rb"(?:\"|(?:\\\\){0,8}\\\"|\\{1,16}u0022|'|%22|&quot;)"
_SPACES: Final = rb"(?:\s|\\{1,16}[nrt]|%20){0,64}"
_COLON: Final = rb"(?:[:=]>?|%3[Aa])"

_FOLLOWS: Final = rb"(?=[\"'\\=:%&,]| {1,3}[=:])"
# Each alternative begins with a letter: Python skips all others fast. `is_secret` says which of these names are.
_ENDS: Final = re.compile(
    rb"(?:key|token|secret|pass(?:word|wd|phrase|code)|pwd|authorization|auxiliary|cookie[s2]?|assertion|credentials?"
    rb"|strings?|str|connstr|signature|sas|sig|code|jwt|auth|secret[-_.]?value"
    # A value whose name, or whose end, stands behind it.
    rb"|value(?=" + _QUOTE + _SPACES + _COLON + _SPACES + _QUOTE
    + rb"[^\\\"]{1,4096}" + _QUOTE + _SPACES + rb"," + _SPACES + _QUOTE + rb"(?:name|key|header|field|expires)))"
    + _FOLLOWS
)  # fmt: skip
"""In lower case: how a name ends that may be secret, with what follows names."""
_WEAK: Final = re.compile(_QUOTE + _SPACES + _COLON + _SPACES + _QUOTE + rb"[A-Za-z0-9+=_~.-]{20}")
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST: Final = 96

_BEFORE: Final = re.compile(_QUOTE + rb"\Z")
_MEMBER: Final = re.compile(rb"(?P<closing>" + _QUOTE + rb")" + _SPACES + _COLON + _SPACES)
_OPENS: Final = re.compile(_QUOTE)
_NEXT: Final = re.compile(_SPACES + rb"," + _SPACES)
_NUMBER: Final = re.compile(rb"-?[0-9][0-9.eE+-]{3,40}")
_INNER: Final = re.compile(rb"[^{}]{0,400}?" + _QUOTE + rb"value" + _QUOTE + _SPACES + _COLON + _SPACES)
_VALUE_AFTER: Final = re.compile(
    _QUOTE + _SPACES + rb"," + rb"(?:[^{}\[\]]{0,300}?)" + _QUOTE
    + rb"(?:values?|Values?|val|key|content)(?P<closing>" + _QUOTE + rb")"
    + _SPACES + _COLON + _SPACES + rb"(?P<list>\[" + _SPACES + rb")?"
)  # fmt: skip
_PAIR: Final = re.compile(rb"(?P<closing>" + _QUOTE + rb")" + _SPACES + rb"," + _SPACES + rb"(?P<value>(?P=closing))")
_NAME_AFTER: Final = re.compile(
    _SPACES + rb"," + _SPACES + _QUOTE + rb"(?i:name|key|header|header_?name|field)" + _QUOTE + _SPACES + _COLON
    + _SPACES + _QUOTE + rb"(?P<name>[\w.-]{1,96})" + _QUOTE
)  # fmt: skip
_EXPIRES_AFTER: Final = re.compile(_SPACES + rb"," + _SPACES + _QUOTE + rb"expires_?(?:at|in)" + _QUOTE)

_ASSIGNED: Final = re.compile(rb" {0,3}(?:=|%3[Dd]) {0,3}")
_RUN: Final = re.compile(rb"(?:[^&;,\s\"'\\<>%(){}^`|]|%(?!2[26702]|3[BbCcEe]|0[DdAa]|7[BbDd])|\\(?=/)){1,8192}")
_CODE: Final = re.compile(rb"(?:os\.|env|process\.|get|self\.|\$|none\b|null\b|true\b|false\b|\*)", re.IGNORECASE)
_LINE: Final = re.compile(rb"[ \t]{0,8}:[ \t]{0,8}")
_LINE_REST: Final = re.compile(rb"(?:[^\r\n\"'\\]|\\{1,16}[/\"](?=[^\r\n]))+")
_LINE_BEGINS: Final = re.compile(rb"(?:^|[\r\n]|\\[nr]|" + _QUOTE + rb"|-H )[ \t>*]{0,4}\Z")
_PUNCTUATION: Final = (b"", b",", b"}", b"]", b":", b" ", b"\n", b"\r")
_FEW_WORDS: Final = 3
_SCHEME: Final = re.compile(rb"(?i)(?:bearer|basic|digest|negotiate|sharedkey|sharedkeylite|token) ")
_PLAIN_WORD: Final = re.compile(rb"[A-Za-z_ -]{0,19}\Z")
_ODD: Final = re.compile(rb"(?=[^\s]*[0-9])[!-~]{6,}|[!-~]{20,}")
_CREDENTIAL: Final = re.compile(rb"(?=[^0-9]{0,64}[0-9])(?=[^A-Za-z]{0,64}[A-Za-z])[A-Za-z0-9+=_~.-]{20,}\Z")
_ID: Final = re.compile(
    rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z|[0-9a-fA-F]{40}\Z|[0-9a-fA-F]{64}\Z|[0-9.:TZ+-]+\Z"
)
_REMOVED: Final = REMOVED.encode()
# It begins with a set of letters, see `_ENDS`.
_COARSE: Final = re.compile(
    rb"([kKtTsSpPaAcC](?i:(?<=[a-z_-]k)ey|(?<=[_-]t)oken|(?<=s)(?:ec(?:ret)|ig|as)|(?<=p)(?:ass(?:word|wd|phrase|code)|wd)"
    rb"|(?<=a)uthorization|(?<=c)(?:ookie[s2]?|redentials?|onnstr))"
    rb"(?:" + _QUOTE + rb"[ \t]{0,8}[:,][ \t\[]{0,8}" + _QUOTE + rb"|=|%3[dD]))(?!\[removed\])[^\s\"\\<>{}']+"
)
_MOST: Final = 2048
_BYTES_PER_NAME: Final = 256
_COST: Final = 16
"""Names that are looked at one by one, whatever the size and by size; the name of a secret counts as so many. Nobody
writes more but to keep us busy: the rest is cleaned in one go."""


def without_named(body: bytes) -> tuple[bytes, int, bool]:
    """Return `body` without the values that stand under the names of secrets, their number, and whether that is all.

    It is not where there are more names than anybody writes.
    """
    low = body.lower()
    parts: list[bytes] = []
    done = at = count = 0
    left = _MOST + len(body) // _BYTES_PER_NAME
    while (found := _ENDS.search(low, at)) is not None:
        at = found.end()
        if at <= done:
            continue
        begins = _name_start(body, found.start())
        costly = found[0] == b"value" or is_secret(body[begins:at].decode("latin-1"))
        left -= _COST if costly else 1
        for start, end, quote in _at_name(body, begins, at):
            left -= _COST
            if start >= done and end > start and body[start:end] != _REMOVED:
                parts += [body[done:start], quote, _REMOVED, quote]
                done, count = end, count + 1
            at = max(at, end)
        if left < 0:
            rest, more = _COARSE.subn(rb"\1[removed]", body[done:])
            return b"".join([*parts, rest]), count + more, False
    return b"".join([*parts, body[done:]]) if parts else body, count, True


def _name_start(body: bytes, end: int) -> int:
    before = body[max(0, end - _LONGEST) : end]
    start = end - (len(before) - len(before.rstrip(_LETTERS)))
    if start and start < end and body[start - 1 : start] == b"\\" and body[start : start + 1] in (b"n", b"r", b"t"):
        start += 1  # the end of a line, escaped
    elif start > 1 and body[start - 1 : start] == b"%":
        start = min(start + 2, end)  # a letter, percent-encoded
    elif body[start - 1 : start] == b"\\" and body[start : start + 5] in (b"u0022", b"u0026"):
        start += 5
    return start


def _at_name(body: bytes, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    name = body[start:end].decode("latin-1")
    if not is_secret(name) and not (name == "value" or _is_weak(body, name, start, end)):
        return
    quote = _BEFORE.search(body, max(0, start - 12), start)
    if quote is not None:
        yield from _quoted(body, name, (start, end), quote[0])
    yield from _plain(body, name, start, end)


def _is_weak(body: bytes, name: str, start: int, end: int) -> bool:
    """Return whether a name of any meaning may be a secret's here: in a query, or before what looks like one."""
    if name.lower() in {"key", "token"} and _WEAK.match(body, end) is not None:
        return True
    return is_query_secret(name) and (
        body[start - 1 : start] in (b"?", b"&", b";") or body[start - 3 : start - 2] == b"%"
    )


def _quoted(body: bytes, name: str, place: Span, quote: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the value of a member, or of a pair, that has `name`."""
    _, end = place
    secret = is_secret(name)
    member = _MEMBER.match(body, end)
    if member is not None:
        if secret:
            yield from _values(body, member.end(), quote, member["closing"])
        elif name == "value":
            yield from _value_first(body, member.end(), member["closing"])
        elif name.lower() in {"key", "token"}:
            yield from filter(
                lambda one: _is_credential(body[one[0] : one[1]]),
                _values(body, member.end(), quote, member["closing"]),
            )
    elif secret:
        yield from _paired(body, end, quote)


def _is_credential(word: bytes) -> bool:
    return len(word) < 4096 and _CREDENTIAL.match(word) is not None and _ID.match(word) is None


def _paired(body: bytes, end: int, quote: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the value that stands behind a name in a pair."""
    after = _VALUE_AFTER.match(body, end)
    if after is not None:
        begin = after.end() - len(after["list"] or b"")
        yield from _values(body, begin, quote, after["closing"])
        return
    pair = _PAIR.match(body, end)
    if pair is not None:
        string = _string(body, pair.start("value"), pair["closing"])
        if string is not None and not _PLAIN_WORD.match(body[string[0] : string[1]]):
            yield *string, b""


def _values(body: bytes, at: int, quote: bytes, closing: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the texts and the number that stand at `at`: a value, an array of them, or an object with one."""
    first = body[at : at + 1]
    if first == b"{":
        inner = _INNER.match(body, at + 1)
        string = None if inner is None else _string(body, inner.end(), closing)
        if string is not None:
            yield *string, b""
        return
    if first == b"[" and body[at : at + len(_REMOVED)] != _REMOVED:
        following = re.compile(_SPACES).match(body, at + 1)
        at = following.end() if following else at + 1
        for _ in range(64):
            string = _string(body, at, closing)
            if string is None:
                return
            yield *string, b""
            ends = _OPENS.match(body, string[1])
            following = _NEXT.match(body, ends.end()) if ends else None
            if following is None:
                return
            at = following.end()
        return
    string = _string(body, at, closing)
    if string is not None:
        yield *string, b""
    elif (number := _NUMBER.match(body, at)) is not None:
        yield *number.span(), quote


def _value_first(body: bytes, at: int, quote: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the value of a pair whose name stands behind it, and of a secret that says when it expires."""
    string = _string(body, at, quote)
    closing = None if string is None else _OPENS.match(body, string[1])
    if string is None or closing is None:
        return
    after = _NAME_AFTER.match(body, closing.end())
    if (after is not None and is_secret(after["name"].decode())) or _EXPIRES_AFTER.match(body, closing.end()):
        yield *string, b""


def _string(body: bytes, at: int, like: bytes | None = None) -> Span | None:
    """Return what stands inside the quotes that open at `at`, if these are `like`; to the end of what was cut."""
    opening = _OPENS.match(body, at)
    if opening is None or (like is not None and opening[0] != like):
        return None
    quote = opening[0]
    start = opening.end()
    if quote[-1:] != b'"':
        end = body.find(quote, start)
        return start, len(body) if end < 0 else end
    closing = _closing(len(quote) - 1).search(body, start)
    return start, len(body) if closing is None else closing.start()


@lru_cache(maxsize=64)
def _closing(depth: int) -> re.Pattern[bytes]:
    """Return the pattern of a quote behind `depth` backslashes at most: of this text, or of one around it."""
    return re.compile(rb'(?<!\\)\\{0,%d}"' % depth)


def _plain(body: bytes, name: str, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield the value of a parameter, of a part of a connection string, or of a header in a line of its own."""
    assigned = _ASSIGNED.match(body, end)
    if assigned is not None:
        before = body[max(0, start - 3) : start]
        in_query = before[-1:] in (b"?", b"&", b";") or before.lower() in (b"%3f", b"%26", b"%3b")
        if not (is_query_secret(name) if in_query else is_secret(name)):
            return
        string = _string(body, assigned.end())
        if string is not None and not in_query:
            # What begins like that is no text: the quote ended the one in which the name stands.
            if body[string[0] : string[0] + 1] not in _PUNCTUATION and string[1] - string[0] <= 4096:
                yield *string, b""
            return
        run = _RUN.match(body, assigned.end())
        if run is not None and (in_query or not (_CODE.match(run[0]) or body[run.end() : run.end() + 1] == b"(")):
            yield *run.span(), b""
    else:
        yield from _header(body, name, start, end)


def _header(body: bytes, name: str, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    line = _LINE.match(body, end)
    if line is None or not is_secret(name) or not _LINE_BEGINS.search(body, max(0, start - 16), start):
        return
    rest = _LINE_REST.match(body, line.end(), min(len(body), line.end() + 8192))
    if rest is None:
        return
    value = rest[0]
    if len(value.split()) <= _FEW_WORDS or "cookie" in name.lower():
        stripped = value.rstrip()
        if _SCHEME.match(stripped) or not _PLAIN_WORD.match(stripped):
            yield rest.start(), rest.start() + len(stripped), b""
        return
    for word in _ODD.finditer(body, rest.start(), rest.end()):
        yield *word.span(), b""
