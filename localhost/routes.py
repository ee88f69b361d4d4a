"""HTTP functions by their route templates, chosen as the Functions host chooses them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from localhost.errors import UsageError
from localhost.registered import HttpFunction

__all__ = ["Routes"]

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(\?)?\}")
_LITERAL, _VALUE, _REST = range(3)
_RANKS: Final = {"": _VALUE, "*": _REST, "**": _REST}


@dataclass(frozen=True, slots=True)
class _Route:
    """A compiled template; the smaller rank is the more specific one and is tried first."""

    function: HttpFunction
    pattern: re.Pattern[str]
    rank: tuple[int, ...]


class Routes:
    """The route table of an app."""

    def __init__(self, functions: Sequence[HttpFunction], prefix: str) -> None:
        """Compile the routes of `functions` under host.json's route `prefix`.

        Raises:
            UsageError: a template uses what is not understood here.
        """
        routes = [_compile(function, prefix) for function in functions]
        self._routes = sorted(routes, key=lambda route: route.rank)

    def match(self, method: str, path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """Return the function that answers, with its route parameters; None is a 404, wrong methods included.

        Args:
            method: in upper case.
            path: percent-decoded, with the prefix.
        """
        for route in self._routes:
            if method in route.function.methods and (found := route.pattern.fullmatch(path)):
                return route.function, {name: value for name, value in found.groupdict().items() if value}
        return None


def _compile(function: HttpFunction, prefix: str) -> _Route:
    pattern, rank = "", []
    for segment in f"{prefix}/{function.route}".strip("/").split("/"):
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            if "{" in segment:
                raise UsageError(f"{function.name}: {segment!r} in its route is not understood here")
            pattern += "/" + re.escape(segment)
            rank.append(_LITERAL)
            continue
        stars, name, optional = parameter.groups()
        rank.append(_RANKS[stars])
        if stars:
            # The rest may be empty: then the slash before it is optional, too.
            pattern += f"(?:/(?P<{name}>.*))?"
        else:
            pattern += f"(?:/(?P<{name}>[^/]+))?" if optional else f"/(?P<{name}>[^/]+)"
    # Paths are matched whatever their case and whether or not they end with a slash.
    return _Route(function, re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL), tuple(rank))
