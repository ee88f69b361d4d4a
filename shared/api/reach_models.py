"""How far roles extend: what is asked for and answered."""

from typing import Annotated

from pydantic import ConfigDict, Field

from shared.api.callers import Caller, Role
from shared.api.models import Model
from shared.api.parameters import Moment, NoParameters
from shared.api.views import Answer, view_of
from shared.domain.reach import ReachEntry, ReachKind

__all__ = ["Me", "ReachAnswer", "ReachToAdd", "me_view", "reach_view"]


class ReachToAdd(NoParameters):
    """A role of somebody, or of an Entra group, and calls that it extends to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "role": "Audit.Read",
                    "holder": "7c1f6a52-0d5a-4f6e-9f0e-2f6f0f1b2c3d",
                    "matched": "team",
                    "value": "Search",
                }
            ]
        }
    )

    role: Role
    holder: Annotated[str, Field(min_length=1, max_length=64, description="object id")]
    is_group: Annotated[bool, Field(description="whether that is a group's")] = False
    matched: ReachKind
    value: Annotated[str, Field(max_length=128, description="the subscription, product or team; empty for `all`")] = ""
    valid_from: Annotated[Moment | None, Field(description="left out: from now on")] = None
    valid_to: Annotated[Moment | None, Field(description="exclusive; left out: until it is ended")] = None


class ReachAnswer(Model):
    """An entry."""

    id: str
    role: Role
    holder: str
    is_group: bool
    matched: ReachKind
    value: str
    valid_from: Moment
    valid_to: Moment | None
    added_by: str
    added_at: Moment
    ended_by: str | None
    ended_at: Moment | None


class MyReach(Model):
    """Calls that have one of these; none where all are empty."""

    subscriptions: list[str]
    products: list[str]
    teams: list[str]


class MyRole(Model):
    """A role, and how far it extends."""

    role: Role
    reach: MyReach | None = Field(description="null: all calls")


class Me(Model):
    """Who the caller is to this API."""

    id: str
    name: str | None
    app_id: str | None
    groups_known: bool = Field(description="false: the token has too many groups to name them")
    roles: list[MyRole]
    purpose_needed: bool = Field(description="whether texts need `X-Case-Id` or `purpose`")


def reach_view(entry: ReachEntry) -> Answer:
    """Return an entry."""
    return view_of(ReachAnswer, entry._asdict())


def me_view(caller: Caller) -> Answer:
    """Return what the caller may do."""
    return Me(
        id=caller.id,
        name=caller.name,
        app_id=caller.app_id,
        groups_known=caller.groups is not None,
        roles=[
            MyRole(
                role=role,
                reach=None
                if (reach := caller.reaches.get(role.value)) is None
                else MyReach(
                    subscriptions=list(reach.subscriptions), products=list(reach.products), teams=list(reach.teams)
                ),
            )
            for role in Role
            if role in caller.roles
        ],
        purpose_needed=caller.needs_purpose,
    ).model_dump(by_alias=True, mode="json")
