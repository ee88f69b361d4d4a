"""What else runs for an API's calls, and what of it bears on capture: who authenticates, reads bodies, answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .document import Element

__all__ = [
    "CONSUMED",
    "FRAGMENTS",
    "TOKENS",
    "Scope",
    "Surroundings",
    "acts",
    "answers_itself",
    "authenticates",
    "consumes",
    "holds_back",
    "includes",
    "token_variables",
]

FRAGMENTS = ("capture-request", "capture-response", "capture-error")
"""Ids of the fragments of infra/policies/fragments that attach includes: those that never refuse a call."""

TOKENS = {"validate-azure-ad-token", "validate-jwt"}
"""Policies that leave a `Jwt` in the variable they are told."""

CONSUMED = {"Request": "set-body find-and-replace xml-to-json json-to-xml".split(), "Response": []}
"""Policies that replace the body before it could be captured."""

_AUTHENTICATES = TOKENS | {"validate-client-certificate", "check-header"}
_HOLDS_BACK = _AUTHENTICATES | {"cors", "ip-filter"}
_CONTROL = {"choose", "when", "otherwise", "retry", "limit-concurrency", "wait"}
_CACHES = {"cache-lookup", "azure-openai-semantic-cache-lookup", "llm-semantic-cache-lookup"}
_BODY = re.compile(r"context\s*\.\s*(Request|Response)\s*\.\s*Body\b")
_KEEPS = re.compile(
    r"\s*(?:[!=]=\s*null\b|\??\s*\.\s*As(?:FormUrlEncodedContent\s*|\s*<[^()]*>\s*)\(\s*(?:preserveContent\s*:\s*)?true\b)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """A policy document and whose it is, as people name it."""

    name: str
    policy: Element

    def section(self, name: str) -> Element | None:
        """Return one of its sections, None if it has none of that name."""
        return self.policy.child(name)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that runs around an API's own policy."""

    parents: list[Scope] = field(default_factory=list)
    """The policies that `base` stands for: of the whole service, and of each product of the API."""
    operations: list[Scope] = field(default_factory=list)
    """The policies of the API's operations, where they have one."""
    fragments: dict[str, Element] = field(default_factory=dict)
    """The service's fragments, by id, but for ours."""
    knows_callers: bool = True
    """Every call needs a subscription."""


def acts(
    elements: list[Element], fragments: dict[str, Element], seen: frozenset[str] = frozenset()
) -> Iterator[Element]:
    """Yield the policies that act on the call, in branches and in included fragments too; not what a policy holds."""
    for element in elements:
        if element.name in _CONTROL:
            yield from acts(element.children, fragments, seen)
        elif element.name == "include-fragment":
            name = element.value("fragment-id")
            yield element
            if name in fragments and name not in seen:
                yield from acts(fragments[name].children, fragments, seen | {name})
        else:
            yield element


def _any(elements: list[Element], names: set[str], fragments: dict[str, Element]) -> bool:
    return any(
        one.name in names or (one.name == "return-response" and _refuses(one)) for one in acts(elements, fragments)
    )


def _refuses(response: Element) -> bool:
    status = response.child("set-status")
    return status is not None and status.value("code") in ("401", "403")


def authenticates(elements: list[Element], fragments: dict[str, Element]) -> bool:
    """Say whether callers who are not known end here."""
    return _any(elements, _AUTHENTICATES, fragments)


def holds_back(elements: list[Element], fragments: dict[str, Element]) -> bool:
    """Say whether capture has to come after: authentication, filters by address, and answers to preflights."""
    return _any(elements, _HOLDS_BACK, fragments)


def includes(elements: list[Element], fragments: dict[str, Element]) -> set[str]:
    """Return which of our fragments are included already."""
    found = {one.value("fragment-id") for one in acts(elements, fragments) if one.name == "include-fragment"}
    return found & set(FRAGMENTS)


def answers_itself(elements: list[Element], fragments: dict[str, Element]) -> bool:
    """Say whether the policy answers some calls in the backend's place."""
    return any(one.name in ("return-response", "mock-response") for one in acts(elements, fragments))


def consumes(elements: list[Element], message: str, fragments: dict[str, Element]) -> str:
    """Return what leaves no body of the `Request` or `Response` for capture, or no call; nothing if all keep it."""
    for one in acts(elements, fragments):
        if one.name in CONSUMED[message]:
            return f"<{one.name}> replaces the body"
        if message == "Request" and one.name in _CACHES:
            return f"<{one.name}> ends inbound when it has an answer"
        for code in one.code():
            for found in _BODY.finditer(code):
                if found[1] == message and not _KEEPS.match(code, found.end()):
                    return f"<{one.name}> reads the body without preserveContent: true"
    for one in elements:
        for inner in one.iter():
            if inner.name in ("when", "retry") and (reason := _condition(inner, message)):
                return reason
    return ""


def _condition(element: Element, message: str) -> str:
    code = element.value("condition")
    for found in _BODY.finditer(code):
        if found[1] == message and not _KEEPS.match(code, found.end()):
            return f"the condition of <{element.name}> reads the body without preserveContent: true"
    return ""


def token_variables(elements: list[Element], fragments: dict[str, Element]) -> list[tuple[Element, str]]:
    """Return each policy that validates a token, with the variable that it leaves the token in, or nothing."""
    found = [one for one in acts(elements, fragments) if one.name in TOKENS]
    return [(one, one.value("output-token-variable-name")) for one in found]
