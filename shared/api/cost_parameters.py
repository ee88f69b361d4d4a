"""Query parameters of `/costs`."""

from typing import Annotated, Final

from pydantic import Field

from shared.api.parameters import ListParameters
from shared.questions import StatementQuery

__all__ = ["MONTH", "ExportParameters", "MonthParameters", "StatementParameters", "month_start"]

MONTH: Final = r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$"
"""A month such as 2026-03, of a year that has a day before its first."""

_Payer = Annotated[str, Field(min_length=1, max_length=128)]


def month_start(month: str) -> str:
    """Return the start of a month such as `2026-03`, in canonical UTC."""
    return f"{month}-01T00:00:00.000Z"


class StatementParameters(ListParameters):
    """Whose statement of which month."""

    month: Annotated[str, Field(pattern=MONTH, description="such as 2026-03")]
    team: Annotated[_Payer | None, Field(description="that pays")] = None
    cost_centre: Annotated[_Payer | None, Field(description="that pays")] = None

    def query(self) -> StatementQuery:
        """Return the question that the parameters ask."""
        return StatementQuery(month=month_start(self.month), team=self.team, cost_centre=self.cost_centre)


class ExportParameters(StatementParameters):
    """A part of the export of a month."""

    limit: Annotated[int, Field(ge=1, le=10_000, description="most lines that the answer is made of")] = 10_000


class MonthParameters(ListParameters):
    """A page of the closed months."""
