"""A gateway that runs our policies as documented: sections, fragments, retry, errors, the 200 KB of an event."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

from tests.gateway.context import Body, Context, Jwt, LastError, Response
from tests.gateway.csharp import Evaluator, expression
from tests.gateway.dotnet import CSharpError, ReadOnly

__all__ = ["FOLDER", "SEEN", "Answer", "Call", "Gateway", "PolicyError", "named_values", "policy"]

FOLDER = Path(__file__).parents[2] / "infra" / "policies"
NOW = datetime(2026, 3, 2, 9, 29, 58, 250_000, UTC)
EVENT_BYTES = 200_000
"""API Management's 200 KB, whichever thousand it means."""
V2_BUFFER = 2 * 1024 * 1024
SEEN: set[tuple[str, int, int, str]] = set()
"""Every node of C# that any test of this process came past."""

_ANYWHERE = {"inbound", "backend", "outbound", "on-error"}
SECTIONS = {
    "set-variable": _ANYWHERE,
    "choose": _ANYWHERE,
    "retry": _ANYWHERE,
    "include-fragment": _ANYWHERE,
    "log-to-eventhub": _ANYWHERE,
    "send-request": _ANYWHERE,
    "set-header": _ANYWHERE,
    "base": _ANYWHERE,
    "validate-azure-ad-token": {"inbound"},
    "set-query-parameter": {"inbound"},
    "set-backend-service": {"inbound", "backend"},
    "azure-openai-token-limit": {"inbound"},
    "rate-limit-by-key": {"inbound"},
    "authentication-managed-identity": {"inbound"},
    "forward-request": {"backend"},
    "cache-lookup-value": _ANYWHERE,
    "cache-store-value": _ANYWHERE,
    "check-header": {"inbound"},
}
"""Where each policy may stand, as the reference says."""
VARIABLE_TYPES = (bool, int, float, str, bytes)


class PolicyError(Exception):
    """What ends a section and begins on-error."""

    def __init__(self, status: int, source: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.source, self.reason, self.message = status, source, reason, message


class _CacheHit(Exception):  # noqa: N818 - no error
    """A cache answered: outbound is next."""


@dataclass
class Answer:
    """What a backend says: after how long, with what."""

    status: int = 200
    content: bytes | None = b""
    headers: dict[str, str] = field(default_factory=dict)
    reason: str | None = "OK"
    after_ms: float = 100
    live: bool = False
    bodiless: bool = False
    nothing: bool = False
    """No response comes, and no error is told."""
    error: PolicyError | None = None


@dataclass
class Call:
    """What came of one call."""

    events: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Logger, partition key, event."""
    forwarded: list[dict[str, str]] = field(default_factory=list)
    """Of each attempt: the headers that the backend got, and `backend`, `query`, `buffered`."""
    blobs: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    questions: list[tuple[str, str]] = field(default_factory=list)
    """Of each question to the audit API: its URL, and as whom the gateway asks."""
    status: int = 0
    ended_in: str = "outbound"


@cache
def policy(name: str) -> Element:
    """Return a policy document by its path below infra/policies, without .xml."""
    return parse(FOLDER / f"{name}.xml").getroot()  # noqa: S314 - our own file


def named_values(root: Element) -> set[str]:
    texts = [text for element in root.iter() for text in (*element.attrib.values(), element.text or "")]
    return {name for text in texts for name in re.findall(r"\{\{([\w-]+)\}\}", text)}


@dataclass
class Gateway:
    """One gateway; what others do to a call is told by its fields."""

    document: str = "api"
    named: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    token: dict[str, list[str]] | None = field(default_factory=dict)
    """Claims of a valid token; None when validation fails. One without `aud` is for whom it is shown to."""
    validates: bool = True
    """False: as an API would be that takes subscription keys alone."""
    before_inbound: PolicyError | None = None
    token_limit: PolicyError | None = None
    product: str = ""
    """The document of the product's policy, which `base` stands for."""
    written: dict[str, str] = field(default_factory=dict)
    """What the templates write into that document: a word in capitals -> its value."""
    tokens: dict[str, int] = field(default_factory=dict)
    """What was used this minute by each counter of a token limit."""
    product_refusal: PolicyError | None = None
    """What a product's policy of another's making says no with."""
    cached: Answer | None = None
    """What the product's own `cache-lookup` has: the rest of inbound and the backend are left out."""
    answer_headers: dict[str, Any] = field(default_factory=dict)
    """Headers of every answer, whose values may be null."""
    failure_answers: bool = True
    """Whether a try that ends in an error leaves a response (of that error's status) to the condition of its `retry`,
    as after a timeout; else there is none."""
    blob_statuses: tuple[int | None, ...] = (201,)
    """In order, the last for all that follow; None: Blob storage does not answer."""
    decisions: tuple[Answer | None, ...] = (None,)
    """What the audit API answers of budgets, in order, the last for all that follow; None: it does not answer."""
    buffers: int = V2_BUFFER
    cache: dict[str, str] = field(default_factory=dict)
    """What the calls before this one left there; how long each entry lives is in `lives`."""
    lives: dict[str, int] = field(default_factory=dict)

    def run(self, context: Context) -> Call:
        """Run the sections as a call does."""
        self.context, self.call, self.section = context, Call(), "inbound"
        self._answers = iter(self.answers)
        self._evaluator = Evaluator(context, lambda: NOW + context.elapsed, SEEN)
        self._query = dict(context.request.original_url.query.items)
        self._backend = ""
        root = policy(self.document)
        try:
            if self.before_inbound is not None:
                raise self.before_inbound
            for self.section in ("inbound", "backend", "outbound"):
                section = root.find(self.section)
                assert section is not None
                assert self.section != "backend" or len(section) == 1, "backend takes one policy"
                if self.section != "backend" or self.context.response is None:
                    self._section(section)
        except PolicyError as error:
            self._on_error(root, error)
        self.call.status = context.response.status_code if context.response else 0
        return self.call

    def _section(self, section: Element) -> None:
        with suppress(_CacheHit):
            self._all(section)

    def _on_error(self, root: Element, error: PolicyError) -> None:
        self.context.last_error = LastError(error.source, error.reason, error.message, self.section)
        self.context.response = self._response_of(error)
        self.call.ended_in = self.section = "on-error"
        section = root.find("on-error")
        assert section is not None
        self._all(section)

    def _all(self, parent: Iterable[Element]) -> None:
        for element in parent:
            assert self.section in SECTIONS[element.tag], f"{element.tag} in {self.section}"
            try:
                self._policies[element.tag](self, element)
            except CSharpError as error:
                raise PolicyError(500, element.tag, "ExpressionValueEvaluationFailure", str(error)) from error

    # Values

    def _evaluated(self, text: str) -> Any:
        for name in re.findall(r"\{\{([\w-]+)\}\}", text):
            text = text.replace("{{" + name + "}}", self.named[name])
        for word, value in self.written.items():
            text = text.replace(word, value)
        found = expression(text)
        return text.strip() if found is None else self._evaluator.run(found)

    def _text(self, element: Element, name: str) -> str:
        child = element.find(name)
        assert child is not None
        value = self._evaluated(child.text or "")
        assert isinstance(value, str)
        return value

    # Policies

    def _base(self, _: Element) -> None:
        if self.section == "inbound" and self.product_refusal is not None:
            raise self.product_refusal
        if self.section == "inbound" and self.cached is not None:
            self._answer(self.cached)
            raise _CacheHit
        if self.product and self.context.product is not None:
            section = policy(self.product).find(self.section)
            assert section is not None
            self._all([one for one in section if one.tag != "base"])
        if self.document == "audit-api" and self.section == "backend":
            self._forward_request(Element("forward-request"))

    def _set_variable(self, element: Element) -> None:
        value = self._evaluated(element.attrib["value"])
        assert isinstance(value, VARIABLE_TYPES), f"{element.attrib['name']}: {type(value)} is no basic type"
        self.context.variables.set(element.attrib["name"], value)

    def _choose(self, element: Element) -> None:
        for branch in element:
            if branch.tag == "otherwise" or self._holds(branch):
                self._all(branch)
                return

    def _holds(self, element: Element) -> bool:
        value = self._evaluated(element.attrib["condition"])
        assert isinstance(value, bool)
        return value

    def _retry(self, element: Element) -> None:
        """Ask the condition after an error, too, as the gateway does: it may forgive one, or fail itself."""
        count, interval = int(element.attrib["count"]), int(element.attrib["interval"])
        assert 1 <= count <= 50
        fast = element.attrib.get("first-fast-retry") == "true"
        error = self._tried(element)
        for again in range(count):
            if not self._holds(element):
                break
            self.context.elapsed += timedelta(seconds=0 if fast and again == 0 else interval)
            error = self._tried(element)
        if error is not None:
            raise error

    def _tried(self, element: Element) -> PolicyError | None:
        try:
            self._all(element)
        except PolicyError as error:
            self.context.response = self._response_of(error) if self.failure_answers else None
            return error
        return None

    def _response_of(self, error: PolicyError) -> Response:
        return Response(error.status, "", ReadOnly({}, any_case=True))

    def _include_fragment(self, element: Element) -> None:
        self._all(policy(f"fragments/{element.attrib['fragment-id']}"))

    def _log_to_eventhub(self, element: Element) -> None:
        value = self._evaluated(element.text or "")
        if not value:
            raise CSharpError("value field is required")
        key = self._evaluated(element.attrib["partition-key"])
        event = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        self.call.events.append((self._evaluated(element.attrib["logger-id"]), key, event[:EVENT_BYTES]))

    def _send_request(self, element: Element) -> None:
        assert element.attrib["ignore-error"] == "true"
        url, method = self._text(element, "set-url"), self._text(element, "set-method")
        headers = {one.attrib["name"]: self._text(one, "value") for one in element.findall("set-header")}
        identity = element.find("authentication-managed-identity")
        assert identity is not None
        if method == "GET":
            answer, *later = self.decisions
            self.decisions = tuple(later) or (answer,)
            self.call.questions.append((url, self._identity(identity)))
            response = None
            if answer is not None:
                body = Body(answer.content, self.buffers)
                response = Response(answer.status, "", ReadOnly({}, any_case=True), body)
            self.context.variables.set(element.attrib["response-variable-name"], response)
            return
        body = self._evaluated((element.findtext("set-body") or "").strip())
        assert isinstance(body, bytes)
        stored, (status, *others) = None, self.blob_statuses
        self.blob_statuses = tuple(others) or (status,)
        if status is not None:
            stored = Response(status, "", ReadOnly({}, any_case=True))
            headers["Authorization"] = self._identity(identity)
            if status == 201:
                self.call.blobs[f"{method} {url}"] = (headers, body)
        self.context.variables.set(element.attrib["response-variable-name"], stored)

    def _set_header(self, element: Element) -> None:
        request = self.context.request
        name = element.attrib["name"]
        kept = {key: value for key, value in request.headers.items.items() if key.lower() != name.lower()}
        if element.attrib["exists-action"] == "override":
            kept[name] = [self._text(element, "value")]
        request.headers = ReadOnly(kept, any_case=True)

    def _check_header(self, element: Element) -> None:
        """End the call: our checks are for a header that was taken away just before."""
        assert element.find("value") is None
        assert not self.context.request.headers.has(element.attrib["name"])
        status = int(self._evaluated(element.attrib["failed-check-httpcode"]))
        message = self._evaluated(element.attrib["failed-check-error-message"])
        raise PolicyError(status, "check-header", "HeaderNotFound", message)

    def _cache_lookup_value(self, element: Element) -> None:
        found = self.cache.get(self._evaluated(element.attrib["key"]), self._evaluated(element.attrib["default-value"]))
        self.context.variables.set(element.attrib["variable-name"], found)

    def _cache_store_value(self, element: Element) -> None:
        key, value = self._evaluated(element.attrib["key"]), self._evaluated(element.attrib["value"])
        assert isinstance(key, str)
        assert isinstance(value, str)
        self.cache[key], self.lives[key] = value, int(element.attrib["duration"])

    def _set_query_parameter(self, element: Element) -> None:
        assert element.attrib["exists-action"] == "delete"
        self._query.pop(element.attrib["name"], None)

    def _validate_azure_ad_token(self, element: Element) -> None:
        assert self._evaluated(element.attrib["tenant-id"]) == self.named["tenant-id"]
        if not self.validates:
            return
        why = self._invalid(element)
        if why is not None:
            message = element.attrib.get("failed-validation-error-message", why[1])
            raise PolicyError(int(element.attrib["failed-validation-httpcode"]), element.tag, why[0], message)
        name = element.attrib.get("output-token-variable-name")
        if name is not None:
            self.context.variables.set(name, Jwt(ReadOnly(self.token or {})))

    def _invalid(self, element: Element) -> tuple[str, str] | None:
        """Return reason and message of what a token lacks: its audience, or a claim's value."""
        if self.token is None:
            return "TokenNotPresent", "JWT not present."
        audiences = {self._evaluated(one.text or "") for one in element.findall("audiences/audience")}
        assert audiences
        if not audiences & set(self.token.get("aud", audiences)):
            return "TokenAudienceNotAllowed", "Invalid audience."
        for claim in element.findall("required-claims/claim"):
            wanted = {self._evaluated(one.text or "") for one in claim.findall("value")}
            told = set(self.token.get(claim.attrib["name"], []))
            if not (wanted & told if claim.attrib.get("match", "all") == "any" else wanted <= told):
                return "TokenClaimValueNotAllowed", f"Claim {claim.attrib['name']} lacks a value that is asked for."
        return None

    def _set_backend_service(self, element: Element) -> None:
        self._backend = self._evaluated(element.attrib["backend-id"])

    def _azure_openai_token_limit(self, element: Element) -> None:
        key = self._evaluated(element.attrib["counter-key"])
        assert key
        if self.token_limit is not None:
            raise self.token_limit
        if self.tokens.get(key, 0) >= int(self._evaluated(element.attrib["tokens-per-minute"])):
            raise PolicyError(429, element.tag, "TokenLimitExceeded", "Token limit is exceeded.")

    def _rate_limit_by_key(self, element: Element) -> None:
        assert self._evaluated(element.attrib["counter-key"])
        if self.token_limit is not None:
            raise self.token_limit

    def _authentication_managed_identity(self, element: Element) -> None:
        told = {"Authorization": [self._identity(element)]}
        self.context.request.headers = ReadOnly({**self.context.request.headers.items, **told}, any_case=True)

    def _identity(self, element: Element) -> str:
        return (
            f"Bearer {self._evaluated(element.attrib['client-id'])} for {self._evaluated(element.attrib['resource'])}"
        )

    def _forward_request(self, element: Element) -> None:
        request, answer = self.context.request, next(self._answers)
        buffered = element.attrib.get("buffer-request-body", "false")
        assert request.body is None or not request.body.consumed, "the body is gone"
        if buffered == "true" and request.body is not None and len(request.body.content or b"") > self.buffers:
            raise PolicyError(500, "forward-request", "BufferLimit", "the body is larger than what the gateway buffers")
        assert not self.call.forwarded or self.call.forwarded[-1]["buffered"] == "true", "the body was sent away"
        headers = {name: ",".join(one or "" for one in value or ()) for name, value in request.headers.items.items()}
        told = {"backend": self._backend, "query": "&".join(sorted(self._query)), "buffered": buffered}
        self.call.forwarded.append(headers | told | {"buffer-response": element.attrib.get("buffer-response", "true")})
        request.url.host = f"{self._backend}.example"
        self.context.elapsed += timedelta(milliseconds=answer.after_ms)
        if answer.error is not None:
            raise answer.error
        if not answer.nothing:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        told: dict[str, Any] = {name: [value] for name, value in answer.headers.items()}
        told_headers = ReadOnly(told | self.answer_headers, any_case=True)
        body = None if answer.bodiless else Body(answer.content, self.buffers, answer.live)
        self.context.response = Response(answer.status, answer.reason, told_headers, body)

    _policies: "dict[str, Callable[[Gateway, Element], None]]" = field(
        init=False,
        default_factory=lambda: {tag: getattr(Gateway, "_" + tag.replace("-", "_")) for tag in SECTIONS},
    )
