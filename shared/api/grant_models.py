"""Grants to read texts: what is asked for and answered."""

from typing import Annotated

from pydantic import Field

from shared.api.models import Model
from shared.api.parameters import Moment, NoParameters
from shared.api.views import Answer, view_of
from shared.domain.grants import Grant

__all__ = ["GrantAnswer", "GrantToGet", "grant_view"]


class GrantToGet(NoParameters):
    """What a reader asks for."""

    case_id: Annotated[
        str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$", description="as X-Case-Id will state it")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=512)]
    hours: Annotated[int, Field(ge=1, le=72, description="from when it is given")] = 8


class GrantAnswer(Model):
    """A grant; it counts from `givenAt` until `validTo`, unless it was ended."""

    id: str
    case_id: str
    reader: str
    reason: str
    hours: int
    wanted_by: str
    wanted_at: Moment
    given_by: str | None
    given_at: Moment | None
    valid_to: Moment | None
    ended_by: str | None
    ended_at: Moment | None


def grant_view(grant: Grant) -> Answer:
    """Return a grant."""
    return view_of(GrantAnswer, grant._asdict())
