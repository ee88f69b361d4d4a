"""Who asks, and what they may: what every way of telling callers ends in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from fastapi import Request
from starlette.exceptions import HTTPException

from shared.api.ids import id_of
from shared.api.rates import RateLimiter
from shared.domain.access_log import Reader
from shared.domain.reach import Reach
from shared.domain.values import text
from shared.errors import ForbiddenError, InvalidRequestError, LimitedRoleError
from shared.services.grants import GrantService
from shared.services.reaches import ReachService

__all__ = [
    "VERSION_1",
    "Authenticator",
    "Caller",
    "Role",
    "identified",
    "known_roles",
    "not_signed_in",
    "require",
    "route_of",
    "subject_of",
]

VERSION_1: Final = "/api/v1"
"""What all paths begin with that need a caller."""
_MOST_NAME: Final = 256
"""Letters of UTF-16 of who asks that the records of readings and of actions keep."""
_MOST_ID: Final = 64
_CASE_HEADER: Final = "X-Case-Id"
_UNCOUNTED: Final = frozenset({f"{VERSION_1}/budgets/decision"})
"""Routes without a limit of requests: the gateway asks for all callers, and a 429 would let every call pass."""


class Role(StrEnum):
    """The app roles."""

    USAGE_READ = "Usage.Read"
    AUDIT_READ = "Audit.Read"
    CONTENT_READ = "Content.Read"
    AUDIT_ADMIN = "Audit.Admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks."""

    id: str
    """By which they are known: the object id in Entra; of local callers, the name they give themselves."""
    name: str | None = None
    """What they call themselves, where that is another thing: proves nothing."""
    roles: frozenset[Role]
    app_id: str | None = None
    """Client id of the application that asks, by itself or for somebody."""
    groups: frozenset[str] | None = frozenset()
    """Object ids of their groups; None where the token has too many to say."""

    purpose: str | None = None
    """Why they ask, as they say."""
    needs_purpose: bool = False
    """Whether they must say, for texts."""
    lacks_grant: bool = False
    """Whether they may read no texts, as nobody else gave them leave for the case that they state."""
    request_id: str | None = None
    reaches: Mapping[str, Reach] = field(default_factory=dict)
    """Roles that extend to some calls alone -> to which."""

    @property
    def label(self) -> str:
        """Return id and name as the records of actions keep them, in 256 letters of UTF-16: the id is never cut."""
        if self.name is None:
            return self.id
        # The id comes first: a name is only what its owner calls himself.
        return f"{self.id} ({text(self.name, _MOST_NAME - len(self.id) - 3) or '?'})"

    def needs(self, role: Role) -> None:
        """Raise ForbiddenError unless the caller has `role`."""
        if role not in self.roles:
            raise ForbiddenError(role.value)

    def reader(self, route: str) -> Reader | None:
        """Return the caller as a reader of content, or None without the role for it, or without a purpose it needs."""
        may_read = Role.CONTENT_READ in self.roles and not self._lacks_purpose and not self.lacks_grant
        return self.asks(route) if may_read else None

    def reads(self, route: str, purpose: str | None = None) -> Reader:
        """Return the caller as a reader of content, for a `purpose` of the request's body or the one it has.

        Raises:
            ForbiddenError: they lack the role for it.
            InvalidRequestError: they do not say why, and the settings want them to.
            HTTPException: 403, they have no grant for the case, and the settings want them to.
        """
        self.needs(Role.CONTENT_READ)
        if self._lacks_purpose and purpose is None:
            raise InvalidRequestError("purpose", "say why you read texts: by this parameter, or by X-Case-Id")
        if self.lacks_grant:
            raise HTTPException(
                403, "reading texts needs a grant for the case that X-Case-Id, else the purpose, states: ask at /grants"
            )
        reader = self.asks(route)
        return reader if purpose is None else reader._replace(purpose=purpose)

    def asks(self, route: str) -> Reader:
        """Return the caller as the access log keeps them."""
        roles = frozenset(role.value for role in self.roles)
        reaches = self.within(Role.CONTENT_READ)
        return Reader(self.id, route, self.name, roles, self.app_id, self.purpose, self.request_id, reaches)

    def within(self, role: Role) -> tuple[Reach, ...]:
        """Return to which calls `role` extends; nothing where that is all of them."""
        return (self.reaches[role.value],) if role.value in self.reaches else ()

    @property
    def _lacks_purpose(self) -> bool:
        return self.needs_purpose and self.purpose is None


class Authenticator(Protocol):
    """A way of telling who asks."""

    def caller(self, request: Request) -> Caller:
        """Return who sent `request`.

        Raises:
            HTTPException: 401 or 403, the request comes from nobody who may ask anything; 503, what tells so
                cannot be had.
            InvalidRequestError: what should tell the caller cannot be read.
        """


def require(role: Role | None, *, limited: bool = False) -> Callable[[Request], Caller]:
    """Return a dependency that gives the caller, once it is known to have `role`; None: whoever is signed in.

    Args:
        role: as above.
        limited: whether the route looks at how far the role extends. One that doesn't is for roles that extend to all.
    """

    def caller_with_role(request: Request) -> Caller:
        chosen: Authenticator = request.app.state.authenticator
        known = chosen.caller(request)
        _count(request, known.id)
        caller = replace(
            known,
            purpose=_purpose_of(request),
            needs_purpose=request.app.state.needs_purpose,
            request_id=getattr(request.state, "request_id", None),
        )
        reaches: ReachService = request.app.state.audit.reaches
        caller = replace(caller, reaches=reaches.of(caller.id, caller.groups))
        if request.app.state.needs_grant and Role.CONTENT_READ in caller.roles:
            case = (request.headers.get(_CASE_HEADER) or request.query_params.get("purpose", "")).strip()
            grants: GrantService = request.app.state.audit.grants
            caller = replace(caller, lacks_grant=not (case and grants.is_given(caller.id, case)))
        request.state.caller = caller
        if role is not None:
            caller.needs(role)
            if not limited and role.value in caller.reaches:
                raise LimitedRoleError(role.value)
        return caller

    return caller_with_role


def _count(request: Request, caller_id: str) -> None:
    """Raise HTTPException 429 where the caller sends more than they may; a request counts once."""
    rates: RateLimiter | None = request.app.state.rates
    if rates is not None and not hasattr(request.state, "standing") and route_of(request) not in _UNCOUNTED:
        request.state.standing = rates.take(caller_id)
        if request.state.standing.wait:
            raise HTTPException(429, "you send more requests than you may; Retry-After says when to go on")


def route_of(request: Request) -> str:
    """Return the path of a request's route, as the OpenAPI document has it."""
    path: str = request.scope["route"].path_format
    # What a router is included under may not be part of its routes' own paths.
    return path if path.startswith(VERSION_1) else VERSION_1 + path


def subject_of(request: Request) -> str:
    """Return what a request is about: what its path and its query say."""
    query = (f"{name}={value}" for name, value in request.query_params.items() if name != "purpose")
    return " ".join([*map(_meant, request.path_params.values()), *query])


def _meant(part: object) -> str:
    try:
        return id_of(str(part))
    except ValueError:
        return str(part)


def _purpose_of(request: Request) -> str | None:
    stated = (request.headers.get(_CASE_HEADER), request.query_params.get("purpose"))
    return text(": ".join(one for one in stated if one), _MOST_NAME)


def known_roles(values: Iterable[object]) -> frozenset[Role]:
    """Return those roles of ours that are among `values`."""
    named = {role.value: role for role in Role}
    return frozenset(named[value] for value in values if isinstance(value, str) and value in named)


def identified(value: object) -> str | None:
    """Return an object id that every database keeps as it is; None of what is none."""
    return value if isinstance(value, str) and value.isascii() and text(value, _MOST_ID) == value else None


def not_signed_in(description: str = "") -> HTTPException:
    """Return the 401 that asks for a token; `description`, of ASCII without quotes, says what is wrong."""
    challenge = f'Bearer error="invalid_token", error_description="{description}"' if description else "Bearer"
    detail = "sign in with an Entra token of the audit API" + (f": {description}" if description else "")
    return HTTPException(401, detail, headers={"WWW-Authenticate": challenge})
