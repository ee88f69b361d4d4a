"""`context`, as API Management documents it: what the policies ask of it, and what a test says is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.gateway.dotnet import MEMBERS, CSharpError, Members, ReadOnly

__all__ = [
    "Api",
    "Body",
    "Context",
    "Deployment",
    "Jwt",
    "LastError",
    "Named",
    "Operation",
    "Request",
    "Response",
    "Url",
]


@dataclass
class Body:
    """IMessageBody: read once unless its content is preserved."""

    content: bytes | None
    """None: a body of nothing, which reads as null."""
    most: int
    """Bytes that the gateway can hold: 2 MiB in the v2 tiers."""
    live: bool = False
    """Whether it is still being made: reading it holds it back from the caller."""
    consumed: bool = False
    reads: int = 0

    def read(self, *, generic: str, preserveContent: bool = False) -> bytes | None:  # noqa: N803 - the policies' name
        """Return `As<byte[]>`."""
        assert generic == "byte[]"
        if self.consumed:
            raise CSharpError("InvalidOperationException: the body was read before")
        if len(self.content or b"") > self.most:
            raise CSharpError("the body is larger than what the gateway buffers")
        self.reads += 1
        self.consumed = not preserveContent
        return self.content


@dataclass
class Url:
    scheme: str
    host: str
    path: str | None
    query: ReadOnly


@dataclass
class Named:
    """A product, a subscription or a user: its id."""

    id: str | None


@dataclass
class Api:
    id: str


@dataclass
class Operation:
    id: str
    url_template: str


@dataclass
class Deployment:
    service_name: str | None
    region: str | None


@dataclass
class LastError:
    source: str | None
    reason: str | None
    message: str | None
    section: str | None


@dataclass
class Jwt:
    claims: ReadOnly
    issuer: str = "https://login.microsoftonline.com/tenant-1/v2.0"


@dataclass
class Request:
    method: str | None
    url: Url
    original_url: Url
    headers: ReadOnly
    ip_address: str | None
    matched_parameters: ReadOnly
    body: Body | None = None


@dataclass
class Response:
    status_code: int
    status_reason: str | None
    headers: ReadOnly
    body: Body | None = None


class Variables(ReadOnly):
    def set(self, name: str, value: Any) -> None:
        super().__init__({**self.items, name: value})

    def value_or_default(self, name: str, default: Any, *, generic: str) -> Any:
        value = self.at(name) if self.has(name) else default
        wanted = {"string": str, "Jwt": Jwt, "IResponse": Response}[generic]
        if value is not None and type(value) is not wanted:
            raise CSharpError(f"InvalidCastException: {name} is no {generic}")
        return value


@dataclass
class Context:
    request_id: UUID
    request: Request
    deployment: Deployment | None
    api: Api | None
    operation: Operation | None
    product: Named | None = None
    subscription: Named | None = None
    user: Named | None = None
    response: Response | None = None
    last_error: LastError | None = None
    elapsed: timedelta = timedelta()
    variables: Variables = field(default_factory=lambda: Variables({}))


def _register(kind: type, name: str, properties: Mapping[str, str], **methods: Any) -> None:
    getters = {shown: (lambda value, held=held: getattr(value, held)) for shown, held in properties.items()}
    MEMBERS[kind] = Members(name, getters, methods)


_register(
    Context,
    "context",
    {
        "Api": "api",
        "Deployment": "deployment",
        "Elapsed": "elapsed",
        "LastError": "last_error",
        "Operation": "operation",
        "Product": "product",
        "Request": "request",
        "RequestId": "request_id",
        "Response": "response",
        "Subscription": "subscription",
        "User": "user",
        "Variables": "variables",
    },
)
_register(Api, "context.Api", {"Id": "id"})
_register(Named, "context.Product, context.Subscription, context.User", {"Id": "id"})
_register(Operation, "context.Operation", {"Id": "id", "UrlTemplate": "url_template"})
_register(Deployment, "context.Deployment", {"ServiceName": "service_name", "Region": "region"})
_register(
    LastError,
    "context.LastError",
    {"Source": "source", "Reason": "reason", "Message": "message", "Section": "section"},
)
_register(
    Request,
    "context.Request",
    {
        "Body": "body",
        "Headers": "headers",
        "IpAddress": "ip_address",
        "MatchedParameters": "matched_parameters",
        "Method": "method",
        "OriginalUrl": "original_url",
        "Url": "url",
    },
)
_register(
    Response,
    "context.Response",
    {"Body": "body", "Headers": "headers", "StatusCode": "status_code", "StatusReason": "status_reason"},
)
_register(Url, "IUrl", {"Scheme": "scheme", "Host": "host", "Path": "path", "Query": "query"})
_register(Body, "IMessageBody", {}, As=Body.read)
_register(Jwt, "Jwt", {"Claims": "claims", "Issuer": "issuer"})
_register(UUID, "System.Guid", {}, ToString=str)
_register(
    Variables,
    "context.Variables",
    {},
    ContainsKey=Variables.has,
    GetValueOrDefault=Variables.value_or_default,
)
