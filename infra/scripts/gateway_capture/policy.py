"""Where capture belongs in an API's policy, and why it does not go into some."""

import re
from dataclasses import dataclass, field, replace

from .document import Element, read_policy
from .edits import BLANK, ORDER, TOKEN_VARIABLE, Marks, marks_of, put_in, take_out
from .errors import NotUnderstoodError, RefusedError
from .surroundings import (
    FRAGMENTS,
    TOKENS,
    Surroundings,
    acts,
    answers_itself,
    authenticates,
    consumes,
    holds_back,
    includes,
    token_variables,
)

__all__ = ["Attachment", "attach", "detach"]

_OURS = re.compile(r"^(?:capture-|promptledger-)|^caller-token$")
_SHARED = {"capture-attempts", "capture-attempt-began"}
"""Variables that a policy with capture may set itself: docs/capture.md, how calls are tried."""
_READ_AS_TEXT = {"backend-id", "refused-as"}
_TEXT = re.compile(r'^(?!\s*@)|^\s*@\(\s*(?:\$?"|\(string\))|\.ToString\([^()]*\)\s*\)\s*$')
"""Values that are a text for certain: literals, and expressions that begin or end as one."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an API's policy becomes."""

    before: str
    """Empty if there was none."""
    after: str
    captures: bool = True
    """False: somebody has included the fragments by hand, and nothing is to be done."""
    notes: list[str] = field(default_factory=list)


def detach(text: str) -> str | None:
    """Return the policy without capture, None if the API had none; see `take_out`."""
    return take_out(text)


def attach(text: str | None, around: Surroundings, marks: Marks) -> Attachment:
    """Return the policy with capture: after authentication, first in outbound, first in on-error.

    Args:
        text: the API's policy as it is, None if it has none.
        around: what else runs for its calls.
        marks: what is to be remembered.

    Raises:
        NotUnderstoodError: the policy cannot be read for certain.
        RefusedError: capture would not see what it must, or could break calls.
    """
    root = read_policy(BLANK if text is None else text)
    _check_shape(root)
    if text is not None and marks_of(text) is not None:
        return Attachment(text, text)
    if _by_hand(root, around):
        return Attachment(
            text or "", text or "", captures=False, notes=["captures already: the fragments are included by hand"]
        )
    _check_names(root, around)
    _check_operations(around)
    inbound = root.child("inbound")
    above = _parents(root, around, "inbound")
    anchor = _anchor([] if inbound is None else inbound.children, above, around)
    first = _before_capture(inbound, anchor, around, above)
    token, unnamed, notes = _token(first, around)
    _check_outbound(root, around)
    _check_missing(root, around)
    marks = replace(marks, policy="made" if text is None else "kept")
    before = BLANK if text is None else text
    after = put_in(before, anchor, token=token, unnamed=unnamed, marks=marks)
    if take_out(after) != text:
        raise NotUnderstoodError("what is put in could not be taken out to the very byte")
    everything = [one for name in ("inbound", "backend") for one in _children(root, name)] + above
    if answers_itself(everything, around.fragments):
        notes.append(
            "calls that a policy answers itself (return-response, mock-response) have no response part: "
            "GatewayLogs tell their status"
        )
    return Attachment(text or "", after, notes=notes + _operations_without_on_error(around))


def _children(root: Element, section: str) -> list[Element]:
    found = root.child(section)
    return [] if found is None else found.children


def _parents(root: Element, around: Surroundings, section: str) -> list[Element]:
    """Return what `base` stands for in a section of the API's policy: nothing if it has no `base`."""
    if not any(_has_base(one) for one in _children(root, section)):
        return []
    return [one for scope in around.parents for one in _children(scope.policy, section)]


def _has_base(element: Element) -> bool:
    return any(one.name == "base" for one in element.iter())


def _check_shape(root: Element) -> None:
    names = [one.name for one in root.children]
    strange = sorted({name for name in names if name not in ORDER or names.count(name) > 1})
    if strange:
        raise RefusedError(f"<policies> holds what is not understood: {', '.join(strange)}")
    if not names:
        raise RefusedError("<policies> has no sections")
    for section in root.children:
        if section.attributes or "".join(section.texts).strip():
            raise RefusedError(f"<{section.name}> holds what is not understood: attributes or text")


def _by_hand(root: Element, around: Surroundings) -> bool:
    for scope in around.parents + around.operations:
        every = [one for section in scope.policy.children for one in section.children]
        if includes(every, around.fragments):
            raise RefusedError(f"{scope.name} captures already: calls would be recorded twice")
    every = [one for section in root.children for one in section.children]
    found = includes(every, around.fragments)
    if found and len(found) < len(FRAGMENTS):
        raise RefusedError(f"the policy includes {', '.join(sorted(found))} by hand, and not the others")
    return bool(found)


def _check_names(root: Element, around: Surroundings) -> None:
    """Refuse variables of our names, and values that the fragments could not read as text: a call would fail."""
    for name, policy in [("the policy", root), *((one.name, one.policy) for one in around.parents + around.operations)]:
        every = [one for section in policy.children for one in section.children]
        for one in acts(every, around.fragments):
            fragment = one.value("fragment-id") if one.name == "include-fragment" else ""
            if fragment and fragment not in around.fragments and fragment not in FRAGMENTS:
                raise RefusedError(f"{name} includes the fragment {fragment}, which is not there or cannot be read")
            for variable in _variables(one):
                if _OURS.match(variable) and variable not in _SHARED:
                    raise RefusedError(f"{name} sets the variable {variable}, a name that capture uses")
                if variable in _READ_AS_TEXT and not (one.name == "set-variable" and _TEXT.search(one.value("value"))):
                    raise RefusedError(f"{name} sets {variable} to what may be no text: write (string) before it")


def _variables(element: Element) -> list[str]:
    """Return the variables that a policy sets, but for a validated token in our own."""
    found = [element.value(name) for name in element.attributes if name.endswith("variable-name")]
    if element.name in TOKENS:
        return [name for name in found if name != "caller-token"]
    return [*found, element.value("name")] if element.name == "set-variable" else found


def _check_operations(around: Surroundings) -> None:
    for scope in around.operations:
        for name in ("inbound", "outbound", "on-error"):
            section = scope.section(name)
            if section is None and name == "on-error":
                continue
            if section is None:
                raise RefusedError(
                    f"{scope.name} has no {name}: write <{name}><base /></{name}>, so that the API's runs"
                )
            if not any(one.name == "base" for one in section.children):
                raise RefusedError(f"{scope.name} leaves <base /> out of {name}: its calls would not be captured")


def _operations_without_on_error(around: Surroundings) -> list[str]:
    names = [scope.name for scope in around.operations if scope.section("on-error") is None]
    return [f"{name} has no on-error: whether refused calls send their error part is not certain" for name in names]


def _anchor(inbound: list[Element], above: list[Element], around: Surroundings) -> Element | None:
    """Return the element after which callers are known; None if that is so from the beginning.

    Raises:
        RefusedError: nobody asks who calls.
    """
    anchor = None
    for one in inbound:
        from_above = _has_base(one) and holds_back(above, around.fragments)
        if from_above or holds_back([one], around.fragments):
            anchor = one
    if not around.knows_callers and not authenticates([*inbound, *above], around.fragments):
        raise RefusedError(
            "anybody may call this API, with neither subscription nor token: anybody could fill the record"
        )
    return anchor


def _before_capture(
    inbound: Element | None, anchor: Element | None, around: Surroundings, above: list[Element]
) -> list[Element]:
    """Return the API's own elements before capture; refuse those that leave it nothing to see."""
    children = [] if inbound is None else inbound.children
    first = [] if anchor is None else children[: children.index(anchor) + 1]
    runs = [("the policy, before the last authentication", first)]
    if any(_has_base(one) for one in first):
        runs.append(("what <base /> stands for", above))
    runs += [(f"{scope.name}, before <base />", _until_base(scope.section("inbound"))) for scope in around.operations]
    for name, elements in runs:
        reason = consumes(elements, "Request", around.fragments)
        if reason:
            raise RefusedError(f"{name}: {reason}")
    return first


def _until_base(section: Element | None) -> list[Element]:
    children = [] if section is None else section.children
    at = next((index for index, one in enumerate(children) if one.name == "base"), len(children))
    return children[:at]


def _check_outbound(root: Element, around: Surroundings) -> None:
    runs = [("the policy's backend", _children(root, "backend") + _parents(root, around, "backend"))]
    for scope in around.operations:
        runs += [
            (f"{scope.name}, backend", _children(scope.policy, "backend")),
            (f"{scope.name}, before <base />", _until_base(scope.section("outbound"))),
        ]
    for name, elements in runs:
        reason = consumes(elements, "Response", around.fragments)
        if reason:
            raise RefusedError(f"{name}: {reason}")


def _check_missing(root: Element, around: Surroundings) -> None:
    """Refuse to add a section where that could change what runs: is a missing one empty, or `base`?"""
    for name in ("inbound", "outbound", "on-error"):
        held = [one for scope in around.parents for one in _children(scope.policy, name) if one.name != "base"]
        if root.child(name) is None and held:
            raise RefusedError(f"the policy has no {name}: write one, with <base /> if the outer policies are to run")


def _token(first: list[Element], around: Surroundings) -> tuple[str, list[Element], list[str]]:
    """Return the variable of the token unless it is `caller-token`, what must be told to fill it, and notes.

    Raises:
        RefusedError: tokens are left in several variables.
    """
    own = {id(one) for element in first for one in element.iter()}
    found = token_variables(first, around.fragments)
    unnamed = [one for one, name in found if not name and id(one) in own]
    foreign = [one for one, name in found if not name and id(one) not in own]
    names = sorted({name for _, name in found if name})
    above = [
        one for scope in around.parents for one in token_variables(_children(scope.policy, "inbound"), around.fragments)
    ]
    if not found:
        names = sorted({name for _, name in above if name})
        foreign = [one for one, name in above if not name]
    if len(names) > 1:
        raise RefusedError(f"tokens are left in several variables ({', '.join(names)}): let all of them name one")
    if names and unnamed:
        foreign, unnamed = foreign + unnamed, []
    notes = []
    if foreign:
        notes.append(
            f"a <{foreign[0].name}> leaves its token in no variable: its callers are told by their subscription alone"
        )
    if unnamed:
        names = [TOKEN_VARIABLE]
    return "" if names in ([], ["caller-token"]) else names[0], unnamed, notes
