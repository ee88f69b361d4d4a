"""Capture put into a policy's text, and taken out again. Nothing else of the text changes, not a blank.

What is put in begins, in each section, with a `set-variable` of one name: a policy, since comments may not survive. Its
value holds what must be known to take it out.
"""

import re
from dataclasses import dataclass

from .document import Element, read_policy
from .errors import RefusedError

__all__ = ["BLANK", "MARK", "TOKEN_VARIABLE", "Marks", "marks_of", "put_in", "take_out"]

MARK = "promptledger-attach"
TOKEN_VARIABLE = "promptledger-token"  # noqa: S105 - the name of a variable
BLANK = """<policies>
    <inbound>
        <base />
    </inbound>
    <backend>
        <base />
    </backend>
    <outbound>
        <base />
    </outbound>
    <on-error>
        <base />
    </on-error>
</policies>
"""
"""The policy of an API that has none."""

ORDER = ("inbound", "backend", "outbound", "on-error")
# What capture-request has not begun, nothing ends: a policy that was written later may leave inbound out.
_ENDS = (
    '<choose><when condition="@(context.Variables.ContainsKey("capture-asked"))">'
    '<include-fragment fragment-id="capture-response" /></when></choose>'
)
_CAPTURE = {
    # A compressed answer would be recorded as bytes that nobody can search: as infra/policies/api.xml does.
    "inbound": (
        '<include-fragment fragment-id="capture-request" />',
        '<set-header name="Accept-Encoding" exists-action="delete" />',
    ),
    "outbound": (_ENDS,),
    "on-error": ('<include-fragment fragment-id="capture-error" />',),
}
_ATTRIBUTE = f' output-token-variable-name="{TOKEN_VARIABLE}"'
_FORMS = {"open": "<{0}></{0}>", "closed": "<{0}/>", "closed-blank": "<{0} />"}
"""What an empty section was, before something was put into it."""
_LEAD = re.compile(r"\r?\n[ \t]*$")


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands in an attached policy about itself."""

    policy: str = "kept"
    """`made` where the API had none."""
    diagnostic: str = "none"
    """What was done to the API's diagnostic: `made`, `extended`, or `none`."""


def put_in(text: str, anchor: Element | None, *, token: str, unnamed: list[Element], marks: Marks) -> str:
    """Return the policy with capture.

    Args:
        text: the policy.
        anchor: the element of inbound after which calls are captured; None for inbound's beginning.
        token: the variable that holds the validated token, if it is not `caller-token`.
        unnamed: policies of this text that validate a token and leave it in no variable.
        marks: what to remember.
    """
    root = read_policy(text)
    edits = [(one.start + 1 + len(one.name), 0, _ATTRIBUTE) for one in unnamed]
    about = f"policy={marks.policy} diagnostic={marks.diagnostic}"
    for name in ("inbound", "outbound", "on-error"):
        block = list(_CAPTURE[name])
        if name == "inbound" and token:
            block.insert(0, f'<set-variable name="capture-token-variable" value="{token}" />')
        after = anchor.end if anchor is not None and name == "inbound" else None
        edits.append(_edit(text, root, name, after, (about if name == "inbound" else "", block)))
    for _, (at, length, new) in sorted(enumerate(edits), key=lambda one: (one[1][0], one[0]), reverse=True):
        text = text[:at] + new + text[at + length :]
    return text


def _edit(text: str, root: Element, name: str, after: int | None, about: tuple[str, list[str]]) -> tuple[int, int, str]:
    """Return where to replace how much by what."""
    (begin, block), section = about, root.child(name)
    if section is None:
        earlier = [one for one in (root.child(other) for other in ORDER[: ORDER.index(name)]) if one is not None]
        at = earlier[-1].end if earlier else root.open_end
        lead = _lead(text, earlier[-1].start if earlier else _first(root).start)
        return at, 0, f"{lead}<{name}>{_block('made', begin, block, '')}</{name}>"
    written = text[section.start : section.end]
    form = next((one for one, shape in _FORMS.items() if written == shape.format(name)), "")
    if form:
        return section.start, len(written), f"<{name}>{_block(form, begin, block, '')}</{name}>"
    if section.closes_itself:
        raise RefusedError(f"<{name}> is written in a way that could not be given back: write it as <{name} />")
    if after is None:
        first = section.children[0].start if section.children else section.close_start
        after, deeper = section.open_end, "" if section.children else "    "
    else:
        first, deeper = next(one.start for one in section.children if one.end == after), ""
    lead = _lead(text, first)
    return after, 0, _block("kept", begin, block, lead + deeper if lead else "")


def _first(root: Element) -> Element:
    return root.children[0]


def _lead(text: str, at: int) -> str:
    """Return the line's end and the blanks before an offset, if nothing else stands there."""
    found = _LEAD.search(text, 0, at)
    return found[0] if found else ""


def _block(section: str, about: str, block: list[str], lead: str) -> str:
    value = f"section={section} {about}".strip()
    return "".join(lead + one for one in (f'<set-variable name="{MARK}" value="{value}" />', *block))


def _mark(section: Element | None) -> Element | None:
    children = [] if section is None else section.children
    found = [one for one in children if one.name == "set-variable" and one.value("name") == MARK]
    if len(found) > 1:
        raise RefusedError(f"<{found[0].name}> of {MARK} stands there twice")
    return found[0] if found else None


def _words(mark: Element) -> dict[str, str]:
    words = (word.partition("=") for word in mark.value("value").split())
    return {name: value for name, _, value in words}


def marks_of(text: str) -> Marks | None:
    """Return what attach left in a policy, None if it is not attached.

    Raises:
        RefusedError: capture stands there in parts.
    """
    root = read_policy(text)
    marks = {name: _mark(root.child(name)) for name in ("inbound", "outbound", "on-error")}
    present = [name for name, mark in marks.items() if mark is not None]
    if not present:
        return None
    if len(present) < len(marks) or marks["inbound"] is None:
        raise RefusedError(f"capture stands in {' and '.join(present)} alone: somebody took the rest out")
    about = _words(marks["inbound"])
    return Marks(about.get("policy", "kept"), about.get("diagnostic", "none"))


def take_out(text: str) -> str | None:
    """Return the policy without capture, as it was before; None if the API had none.

    Raises:
        RefusedError: somebody changed what attach put in.
    """
    marks = marks_of(text)
    if marks is None:
        return text
    root = read_policy(text)
    edits = [_removal(text, root, name) for name in ("inbound", "outbound", "on-error")]
    for one in root.iter():
        found = one.attributes.get("output-token-variable-name")
        if found is not None and found.value == TOKEN_VARIABLE:
            edits.append((_blanks_before(text, found.start), found.end, ""))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return None if marks.policy == "made" and _shape(read_policy(text)) == _shape(read_policy(BLANK)) else text


def _removal(text: str, root: Element, name: str) -> tuple[int, int, str]:
    section = root.child(name)
    mark = _mark(section)
    if section is None or mark is None:
        raise RefusedError(f"capture does not stand in {name}")
    at = section.children.index(mark)
    expected = [_shape(one) for one in read_policy(f"<x>{''.join(_CAPTURE[name])}</x>", "x").children]
    block = section.children[at + 1 :]
    if name == "inbound" and block and block[0].value("name") == "capture-token-variable":
        expected.insert(0, _shape(block[0]))
    last = block[len(expected) - 1 : len(expected)]
    if [_shape(one) for one in block[: len(expected)]] != expected or _between(text, mark, block[: len(expected)]):
        raise RefusedError(f"what attach put into {name} was changed: take it out by hand, from {MARK} on")
    form = _words(mark).get("section", "kept")
    alone = not (text[section.open_end : mark.start] + text[last[0].end : section.close_start]).strip()
    if alone and form == "made":
        return _blanks_before(text, section.start), section.end, ""
    if alone and form in _FORMS:
        return section.start, section.end, _FORMS[form].format(name)
    return _blanks_before(text, mark.start), last[0].end, ""


def _between(text: str, first: Element, rest: list[Element]) -> str:
    """Return what stands between neighbours that should have nothing but blanks between them."""
    ends, starts = [first.end, *(one.end for one in rest)], [one.start for one in rest]
    return "".join(text[end:start].strip() for end, start in zip(ends, starts, strict=False))


def _blanks_before(text: str, at: int) -> int:
    return len(text[:at].rstrip())


def _shape(element: Element) -> tuple[object, ...]:
    """Return an element as it means, however it is written."""
    attributes = {name: element.value(name) for name in element.attributes}
    texts = "".join(element.texts).strip()
    return element.name, sorted(attributes.items()), texts, [_shape(child) for child in element.children]
