"""What is done, one step after the other: each is told, and where one fails, what was done before and what was not."""

import difflib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import CaptureError

__all__ = ["Step", "agreed", "difference", "run", "say"]


@dataclass(frozen=True, slots=True)
class Step:
    """One change, as people read it, and what makes it."""

    text: str
    do: Callable[[], None]


def say(text: str = "") -> None:
    """Print a line, at once."""
    print(text, flush=True)


def difference(before: str, after: str, name: str) -> str:
    """Return what changes in a document, for people."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} as it is", f"{name} as it will be", lineterm="", n=2
    )
    return "\n".join(lines)


def agreed(*, yes: bool) -> bool:
    """Ask whether to go on; without a terminal only `--yes` says so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        say("Nothing was changed: this was a look. --yes does it.")
        return False
    if input("Do this? (yes/no) ").strip().lower() == "yes":
        return True
    say("Nothing was changed.")
    return False


def run(steps: Iterable[Step]) -> int:
    """Do all steps; return the exit status.

    Every step can be done again, so whoever is told of a fault mends it and runs the same command.
    """
    rest, done = list(steps), 0
    try:
        for step in rest:
            step.do()
            done += 1
            say(f"done: {step.text}")
    except (CaptureError, KeyboardInterrupt) as error:
        say(f"FAILED: {rest[done].text}: {'interrupted' if isinstance(error, KeyboardInterrupt) else error}")
        say(f"{done} of {len(rest)} steps are done and stay. Not done, or not known to be done:")
        for step in rest[done:]:
            say(f"  {step.text}")
        say("Mend the cause and run the same command again: it does what is left.")
        return 1
    return 0
