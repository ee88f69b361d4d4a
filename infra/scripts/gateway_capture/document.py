"""A policy document as API Management gives it (`rawxml`), read without being rewritten: where each element stands.

Raw documents are no XML: an expression may hold quotes and `<` as they are, in an attribute and in a text. Whatever
cannot be told for certain raises NotUnderstoodError, with line and column.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .errors import NotUnderstoodError

__all__ = ["Attribute", "Element", "read_policy"]

_NAME = re.compile(r"[A-Za-z_][\w.:-]*")
_BLANK = re.compile(r"\s*")
_CODE = re.compile(r"""//[^\r\n]*|/\*.*?\*/|(?:\$@|@\$)"|\$"|@"|"|&quot;|'|[(){}\[\]]""", re.DOTALL)
_STRING = re.compile(r'"(?:\\.|[^"\\\r\n])*"')
_ESCAPED = re.compile(r"&quot;(?:\\.|(?!&quot;)[^\\\r\n])*&quot;")
_VERBATIM = re.compile(r'@"(?:""|[^"])*"')
_CHARACTER = re.compile(r"'(?:\\.|[^'\\\r\n])[^'\r\n]*'")
_CLOSES = {"(": ")", "{": "}", "[": "]"}
_SPECIAL = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its value without quotes, as written, and where it stands."""

    value: str
    start: int
    """Of its name."""
    end: int
    """After its closing quote."""


@dataclass(slots=True)
class Element:
    """One element; offsets are those of the document's text."""

    name: str
    start: int
    open_end: int = 0
    """After the start tag."""
    close_start: int = 0
    """Before the end tag; of an element that closes itself, as `open_end`."""
    end: int = 0
    attributes: dict[str, Attribute] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """What stands between its children, CDATA too, without comments."""

    @property
    def closes_itself(self) -> bool:
        """Whether it has no end tag."""
        return self.end == self.open_end

    def value(self, name: str) -> str:
        """Return an attribute's value with entities resolved, or nothing."""
        found = self.attributes.get(name)
        return "" if found is None else html.unescape(found.value)

    def iter(self) -> Iterator["Element"]:
        """Yield the element and all below it, in their order."""
        yield self
        for child in self.children:
            yield from child.iter()

    def code(self) -> Iterator[str]:
        """Yield every value and text of the element and below, with entities resolved: never comments."""
        for one in self.iter():
            yield from (html.unescape(attribute.value) for attribute in one.attributes.values())
            yield from (html.unescape(text) for text in one.texts)

    def child(self, name: str) -> "Element | None":
        """Return the first child of a name."""
        return next((child for child in self.children if child.name == name), None)


def read_policy(text: str, root: str = "policies") -> Element:
    """Return the root element of a policy document, or of a fragment.

    Raises:
        NotUnderstoodError: it is not one whole `root` element, with nothing but comments around it.
    """
    reader = _Reader(text)
    start = reader.past_comments(1 if text.startswith("\ufeff") else 0)
    if not _NAME.match(text, start + 1) or text[start : start + 1] != "<":
        raise reader.fault(start, f"<{root}> is expected")
    element = reader.element(start)
    rest = reader.past_comments(element.end)
    if element.name != root:
        raise reader.fault(start, f"<{root}> is expected, not <{element.name}>")
    if rest != len(text):
        raise reader.fault(rest, f"something follows </{root}>")
    return element


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def fault(self, at: int, message: str) -> NotUnderstoodError:
        before = self.text[:at]
        line, column = before.count("\n") + 1, at - before.rfind("\n")
        return NotUnderstoodError(f"line {line}, column {column}: {message}")

    def blank(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def special(self, at: int) -> tuple[int, str]:
        """Return where the comment, CDATA or instruction at an offset ends, and how it began: nothing if none does."""
        for begins, ends in _SPECIAL:
            if self.text.startswith(begins, at):
                end = self.text.find(ends, at + len(begins))
                if end < 0:
                    raise self.fault(at, f"{begins} has no {ends}")
                return end + len(ends), begins
        return at, ""

    def past_comments(self, at: int) -> int:
        """Return the offset after blanks, comments and instructions."""
        while True:
            after, begins = self.special(self.blank(at))
            if not begins or begins == "<![CDATA[":
                return self.blank(at)
            at = after

    def element(self, start: int) -> Element:
        """Read the element that begins at an offset, iteratively: documents may be deep."""
        root = self.start_tag(start)
        parents = [root]
        at = root.open_end
        while parents and not root.end:
            at = self.content(parents, at)
        return root

    def content(self, parents: list[Element], at: int) -> int:
        """Read one thing of the innermost element's content; return the offset after it."""
        text, here = self.text, parents[-1]
        if at >= len(text):
            raise self.fault(here.start, f"<{here.name}> has no end")
        if text.startswith("</", at):
            return self.end_tag(parents, at)
        after, begins = self.special(at)
        if begins:
            if begins == "<![CDATA[":
                here.texts.append(text[at + len(begins) : after - 3])
            return after
        if text[at] == "<":
            child = self.start_tag(at)
            here.children.append(child)
            if not child.end:
                parents.append(child)
            return child.open_end
        after = self.value_end(at, "<")
        here.texts.append(text[at:after])
        return after

    def end_tag(self, parents: list[Element], at: int) -> int:
        here = parents.pop()
        found = re.compile(rf"</{re.escape(here.name)}\s*>").match(self.text, at)
        if found is None:
            raise self.fault(at, f"</{here.name}> is expected")
        here.close_start, here.end = at, found.end()
        return found.end()

    def start_tag(self, start: int) -> Element:
        found = _NAME.match(self.text, start + 1)
        if found is None:
            raise self.fault(start, "an element's name is expected after <")
        element = Element(found[0], start)
        at = found.end()
        while True:
            begin, at = at, self.blank(at)
            if self.text.startswith(("/>", ">"), at):
                element.open_end = at + (2 if self.text[at] == "/" else 1)
                if self.text[at] == "/":
                    element.close_start = element.end = element.open_end
                return element
            if at == begin:
                raise self.fault(at, f"a blank is expected in <{element.name}>")
            name, attribute = self.attribute(at, element.name)
            if name in element.attributes:
                raise self.fault(at, f"<{element.name}> has {name} twice")
            element.attributes[name] = attribute
            at = attribute.end

    def attribute(self, start: int, element: str) -> tuple[str, Attribute]:
        found = re.compile(rf"({_NAME.pattern})\s*=\s*([\"'])").match(self.text, start)
        if found is None:
            raise self.fault(start, f"an attribute is expected in <{element}>")
        end = self.value_end(found.end(), found[2])
        if end >= len(self.text):
            raise self.fault(start, f"{found[1]} of <{element}> has no end")
        return found[1], Attribute(self.text[found.end() : end], start, end + 1)

    def value_end(self, at: int, stop: str) -> int:
        """Return where a value or a text ends: at the first `stop` outside of expressions, or at the document's end."""
        text = self.text
        while at < len(text) and text[at] != stop:
            at = self.expression_end(at) if text.startswith(("@(", "@{"), at) else at + 1
        return at

    def expression_end(self, start: int) -> int:
        """Return the offset after `@(...)` or `@{...}`: C#, with its strings, characters and comments."""
        return self.code_end(start + 1, start)

    def code_end(self, at: int, start: int) -> int:
        """Return the offset after the bracket that closes the one at `at`; `start` is where a fault is told."""
        expected: list[str] = []
        while True:
            found = _CODE.search(self.text, at)
            if found is None:
                raise self.fault(start, "an expression has no end")
            sign, at = found[0], found.end()
            if sign in _CLOSES:
                expected.append(_CLOSES[sign])
            elif sign in _CLOSES.values():
                if sign != expected.pop():
                    raise self.fault(at - 1, f"{sign} closes nothing in an expression")
                if not expected:
                    return at
            elif not sign.startswith(("//", "/*")):
                at = self.string_end(found.start(), sign)

    def string_end(self, at: int, quote: str) -> int:
        if "$" in quote:
            return self.interpolated_end(at + len(quote), verbatim="@" in quote)
        pattern = {'"': _STRING, "&quot;": _ESCAPED, '@"': _VERBATIM, "'": _CHARACTER}[quote]
        found = pattern.match(self.text, at)
        if found is None:
            raise self.fault(at, "a string or character of an expression has no end")
        return found.end()

    def interpolated_end(self, at: int, *, verbatim: bool) -> int:
        start, text = at, self.text
        while at < len(text):
            pair = text[at : at + 2]
            if pair in ("{{", "}}") or (pair == '""' and verbatim) or (pair[:1] == "\\" and not verbatim):
                at += 2
            elif pair[:1] == "{":
                at = self.code_end(at, start)
            elif pair[:1] == '"':
                return at + 1
            else:
                at += 1
        raise self.fault(start, "a string of an expression has no end")
