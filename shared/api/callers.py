"""Who asks, and what they may: what every way of telling callers ends in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from fastapi import Request
from starlette.exceptions import HTTPException

from shared.domain.values import text
from shared.errors import ForbiddenError
from shared.services.audit import Reader

__all__ = ["Authenticator", "Caller", "Role", "identified", "known_roles", "not_signed_in", "require"]

_MOST_NAME: Final = 256
"""Letters of UTF-16 of who asks that the records of readings and of actions keep."""
_MOST_ID: Final = 64


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
        """Return the caller as a reader of content, or None without the role for it."""
        return Reader(self.label, route) if Role.CONTENT_READ in self.roles else None


class Authenticator(Protocol):
    """A way of telling who asks."""

    def caller(self, request: Request) -> Caller:
        """Return who sent `request`.

        Raises:
            HTTPException: 401 or 403, the request comes from nobody who may ask anything; 503, what tells so
                cannot be had.
            InvalidRequestError: what should tell the caller cannot be read.
        """


def require(role: Role) -> Callable[[Request], Caller]:
    """Return a dependency that gives the caller, once it is known to have `role`."""

    def caller_with_role(request: Request) -> Caller:
        chosen: Authenticator = request.app.state.authenticator
        caller = chosen.caller(request)
        caller.needs(role)
        return caller

    return caller_with_role


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
