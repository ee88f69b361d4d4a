"""The names under which secrets stand, wherever they stand: members, headers, parameters, pairs. The only list."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

__all__ = ["REMOVED", "is_grant", "is_query_secret", "is_secret"]

REMOVED: Final = "[removed]"
"""What stands where a secret stood."""

# How a name ends; between the words of an end may stand a dash, a dot, an underscore, or nothing.
_ENDS: Final = (
    *(f"{kind} key" for kind in (
        "access account admin api app auth client embedding encryption function functions host master openai private "
        "query sas secret service shared signing storage subscription system"
    ).split()),
    "key or token",
    *(f"{kind} token" for kind in (
        "aad access api auth authorization bearer bot csrf id refresh sas security session user xsrf"
    ).split()),
    "pass code", "pass phrase", "passwd", "password", "pwd",
    "secret", "secret value",
    "authorization", "authorization auxiliary", "cookie", "cookies", "cookie2",
    "assertion", "credential", "credentials", "amz signature",
    "connection string", "connection strings", "conn str", "shared access signature",
)  # fmt: skip
# Words of any meaning elsewhere: a map has keys, a model has tokens.
_IN_QUERIES: Final = frozenset("auth code jwt key pass sas sig signature token xgoogsignature".split())
_IN_GRANTS: Final = frozenset({"key", "token"})
_LONGEST: Final = 96

_BARE_ENDS: Final = tuple(end.replace(" ", "") for end in _ENDS)


@lru_cache(maxsize=4096)
def _known_name(name: str) -> tuple[str, bool]:
    bare = re.sub(r"[^a-z0-9]", "", unquote_plus(name).lower())
    return bare, bare.endswith(_BARE_ENDS)


def is_secret(name: str) -> bool:
    """Return whether what has this name is a secret, wherever it stands."""
    return _known_name(name[-_LONGEST:])[1]


def is_query_secret(name: str) -> bool:
    """Return whether the parameter of a URL's query opens doors."""
    bare, known = _known_name(name[-_LONGEST:])
    return known or bare in _IN_QUERIES


def is_grant(name: str) -> bool:
    """Return whether a member of what grants access to something holds the secret."""
    bare, known = _known_name(name[-_LONGEST:])
    return known or bare in _IN_GRANTS
