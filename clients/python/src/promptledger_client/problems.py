"""What the API refuses, as exceptions.

* ProblemError             any problem document, and any answer of 400 or more that is none
  x InvalidRequestError    400  `parameter` names what is wrong
  x NotSignedInError       401
  x ForbiddenError         403  `role` names the role that is missing
  x NotFoundError          404
  x NotPossibleError       409  the message says what must be done first
  x TooManyRequestsError   429  also after the last try
  x UnavailableError       503  also after the last try
"""

from collections.abc import Mapping
from typing import Any

import httpx

__all__ = [
    "ForbiddenError",
    "InvalidRequestError",
    "NotFoundError",
    "NotPossibleError",
    "NotSignedInError",
    "ProblemError",
    "TooManyRequestsError",
    "UnavailableError",
    "problem_of",
]


class ProblemError(Exception):
    """The API did not do what it was asked."""

    def __init__(self, status: int, members: Mapping[str, Any], request_id: str | None) -> None:
        """Keep the `members` of the problem document (RFC 9457), and the id under which the app's log tells more."""
        title, detail = members.get("title", "no problem document"), members.get("detail", "")
        super().__init__(f"{status} {title}: {detail}" + (f" (request {request_id})" if request_id else ""))
        self.status = status
        self.members = dict(members)
        self.request_id = request_id

    @property
    def kind(self) -> str:
        """What went wrong, in words joined by hyphens: the end of the document's `type`."""
        return str(self.members.get("type", "")).rpartition(":")[2]

    @property
    def detail(self) -> str:
        """One sentence for people."""
        return str(self.members.get("detail", ""))

    @property
    def parameter(self) -> str | None:
        """The parameter that is wrong, of 400."""
        return self.members.get("parameter")

    @property
    def role(self) -> str | None:
        """The role that is missing, of 403."""
        return self.members.get("role")


class InvalidRequestError(ProblemError):
    """400: a parameter is wrong."""


class NotSignedInError(ProblemError):
    """401: the API does not know who asks."""


class ForbiddenError(ProblemError):
    """403: the caller may not."""


class NotFoundError(ProblemError):
    """404: there is no such thing, or not for this caller."""


class NotPossibleError(ProblemError):
    """409: something must be done first."""


class TooManyRequestsError(ProblemError):
    """429: the caller sends more requests than they may."""


class UnavailableError(ProblemError):
    """503: a store does not answer, or the app is not set up."""


_KINDS = {
    400: InvalidRequestError,
    401: NotSignedInError,
    403: ForbiddenError,
    404: NotFoundError,
    409: NotPossibleError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


def problem_of(response: httpx.Response) -> ProblemError:
    """Return the exception that an answer of 400 or more is."""
    members: Any = {}
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            members = response.json()
        except ValueError:
            members = {}
    kind = _KINDS.get(response.status_code, ProblemError)
    return kind(
        response.status_code, members if isinstance(members, dict) else {}, response.headers.get("x-request-id")
    )
