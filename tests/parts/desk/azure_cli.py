"""The stand-in of Azure CLI: reads a command as it does, has it answered, and prints the answer in its forms.

What each command takes and answers stands in `estate` and `machine`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jmespath

from tests.parts.desk.world import World, fail

Options = dict[str, list[str]]
Answer = Callable[[World, Options], Any]


@dataclass(frozen=True)
class Command:
    """What a command takes, by the names of its options, and what it answers."""

    answer: Answer
    required: frozenset[str]
    optional: frozenset[str]


COMMANDS: dict[str, Command] = {}
GLOBAL = {"query", "output", "only-show-errors", "subscription"}
FLAGS = {"yes", "wait", "no-wait", "identity", "allow-no-subscriptions", "show-details", "force-string"}
MANY = {"set", "roles", "parameters", "tags", "failover-policies"}


def command(words: str, required: str = "", optional: str = "") -> Callable[[Answer], Answer]:
    """Register a command of az."""

    def keep(answer: Answer) -> Answer:
        COMMANDS[words] = Command(answer, frozenset(required.split()), frozenset(optional.split()))
        return answer

    return keep


def first(options: Options, name: str) -> str:
    return options[name][0]


def in_the_group(world: World, options: Options) -> None:
    if first(options, "resource-group") != world.known.get("group"):
        fail(f"ResourceGroupNotFound: {first(options, 'resource-group')}")


def az(world: World, arguments: list[str]) -> None:
    """Answer as Azure CLI would."""
    words = [word for word in arguments if not word.startswith("-")]
    name = next((found for size in range(len(words), 0, -1) if (found := " ".join(words[:size])) in COMMANDS), None)
    if name is None:
        fail(f"az: the stand-in knows no such command: {' '.join(arguments[:4])}")
    known, options = COMMANDS[name], options_of(arguments[len(name.split()) :])
    unknown = set(options) - known.required - known.optional - GLOBAL
    if unknown or known.required - set(options):
        fail(f"az {name}: unknown {sorted(unknown)}, missing {sorted(known.required - set(options))}")
    answer = known.answer(world, options)
    if "query" in options:
        answer = jmespath.search(first(options, "query"), answer)
    show(answer, options.get("output", ["json"])[0])


def options_of(arguments: list[str]) -> Options:
    """Return the values of each long option; refuse what is none, and what is empty."""
    options: Options = {}
    name = ""
    for word in arguments:
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = []
        elif not name:
            fail(f"az: {word!r} belongs to no option")
        elif not word.strip():
            fail(f"az: --{name} is empty: a variable that nobody set?")
        else:
            options[name].append(word)
    for name, values in options.items():
        if len(values) != 1 and name not in FLAGS | MANY:
            fail(f"az: --{name} takes one value, not {len(values)}")
    return options


def show(answer: Any, output: str) -> None:
    """Print an answer in one of Azure CLI's forms."""
    if output == "none" or answer is None:
        return
    if output == "tsv":
        rows = answer if isinstance(answer, list) else [answer]
        for row in rows:
            cells = list(row.values()) if isinstance(row, dict) else row if isinstance(row, list) else [row]
            sys.stdout.write("\t".join(tsv(cell) for cell in cells) + "\n")
        return
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def tsv(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
