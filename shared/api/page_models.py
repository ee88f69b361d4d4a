"""Pages of interactions, as the audit API answers them."""

from pydantic import Field

from shared.api.models import Interaction, Model, Page

__all__ = ["CallCount", "InteractionPage"]


class CallCount(Model):
    """How many interactions a list holds on all its pages, as far as was counted."""

    count: int
    at_least: bool = Field(description="there may be more: no further was counted")


class InteractionPage(Page[Interaction]):
    """One page of interactions; `degraded` and `waiting` are in answers to `q`, `total` where it was asked for."""

    degraded: bool | None = Field(
        default=None, description="no index of words helped with all of it: slow, as complete"
    )
    waiting: int | None = Field(
        default=None, description="interactions that changed just now, and may not be found yet"
    )
    total: CallCount | None = Field(default=None, description="with `total=true`")
