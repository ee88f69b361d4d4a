"""Chance that falls the same way for the same seed, on every machine and Python."""

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Only `random()` and `getrandbits()` underneath: Python promises their sequences, and they are quick."""

    def __init__(self, seed: int) -> None:
        """Begin the sequence of `seed`."""
        generator = random.Random(seed)  # sample data, no secrets
        self.fraction = generator.random
        self._bits = generator.getrandbits

    def below(self, limit: int) -> int:
        """Return a whole number from 0, less than `limit`."""
        return int(self.fraction() * limit)

    def between(self, least: int, most: int) -> int:
        """Return a whole number, both ends included."""
        return least + int(self.fraction() * (most - least + 1))

    def chance(self, probability: float) -> bool:
        """Return True that often."""
        return self.fraction() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.fraction() * len(choices))]

    def guid(self) -> str:
        """Return a GUID, lower case with dashes."""
        text = f"{self._bits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def letters(self, count: int) -> str:
        """Return that many hexadecimal digits, as ids have them."""
        return f"{self._bits(4 * count):0{count}x}"

    def data(self, count: int) -> bytes:
        """Return that many bytes."""
        return self._bits(8 * count).to_bytes(count, "big")
