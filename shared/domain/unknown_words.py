"""Words of the service's that we don't know -> a trace in the facts, so that a new one is seen the day it comes."""

from collections.abc import Iterable
from typing import Final

import orjson

from shared.domain.interaction import Facts
from shared.domain.values import canonical, text

__all__ = ["note"]

_MOST: Final = 32
_LENGTH: Final = 64


def note(facts: Facts, kind: str, words: Iterable[str]) -> None:
    """Add words to `unknown_words` of `facts`, as `kind:word`: sorted, each once, 32 of 64 characters at most."""
    told = {f"{kind}:{known}" for word in words if (known := text(word, _LENGTH)) is not None}
    if told:
        held = facts.get("unknown_words")
        facts["unknown_words"] = canonical(sorted({*(orjson.loads(held) if held else ()), *told})[:_MOST])
