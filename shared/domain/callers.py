"""Whether two witnesses of one call name different callers."""

from collections.abc import Mapping
from typing import Final

from shared.domain.fragment import EVIDENCE
from shared.domain.interaction import Facts

__all__ = ["NOTICED_BY", "name_another_caller"]

NOTICED_BY: Final = "Q"
"""The code beside `callers_differ`. No witness says it: any does, as long as it is always the same."""
_CALLERS: Final = (
    ("subscription_id", frozenset(EVIDENCE)),
    ("user_id", frozenset("QE")),
    ("app_id", frozenset("QE")),
    ("caller_ip", frozenset("QE")),
)
"""What names a caller, and the witnesses that mean the same by it: those that stand above all others for the
field, or the value of another would hide what they say. API Management's logs know a user by its own id and a
caller by the address of the last proxy; Azure OpenAI's logs take the gateway for the caller."""


def name_another_caller(held: Facts, holders: Mapping[str, str], code: str, facts: Facts) -> bool:
    """Return whether witness `code` names another caller in `facts` than `holders` do in what is held.

    Of several values one is held, so the first that is another than those before it is noticed, in
    whatever order they come.
    """
    return any(
        code in witnesses
        and name in facts
        and holders.get(name) in witnesses
        and facts[name].casefold() != held[name].casefold()
        for name, witnesses in _CALLERS
    )
