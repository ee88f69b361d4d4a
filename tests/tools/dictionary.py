"""Train a dictionary for the embedded content store, on the product's own sample traffic and pages alone.

    python -m tests.tools.dictionary NUMBER

writes `shared/stores/sql/dictionaries/NUMBER.zdict`. A dictionary that was ever shipped stays as it is, for documents
are read with it; a new one gets the next number. The benchmarks' conversations, and recordings of anybody's, are no
samples: what these shrink to is measured.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson
import zstandard

from localhost.traffic.mix import an_hour
from shared.errors import EventError
from shared.sources import read_event

_ROOT: Final = Path(__file__).parents[2]
_SIZE: Final = 32 * 1024
_EVENTS: Final = 6_000
_DOCUMENTS: Final = 1_500
"""Of the traffic, whose few sentences would be most of the dictionary otherwise."""
_SHORT: Final = 200
_AT: Final = "2026-03-02T09:00:00.000Z"


def main() -> int:
    """Train and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.dictionary")
    parser.add_argument("number", type=int)
    number = parser.parse_args().number
    samples: list[bytes | bytearray | memoryview] = [
        *random.Random(1).sample(list(_documents()), _DOCUMENTS),
        *_conversations(),
    ]
    made = zstandard.train_dictionary(_SIZE, samples, level=3, dict_id=number)
    path = _ROOT / "shared/stores/sql/dictionaries" / f"{number}.zdict"
    path.write_bytes(made.as_bytes())
    sys.stdout.write(f"{path}: {len(made)} bytes, of {len(samples)} samples\n")
    return 0


def _documents() -> Iterator[bytes]:
    """Yield what the content store would keep of some hours."""
    for seed in range(100, 104):
        for one in an_hour(_EVENTS, seed):
            try:
                yield from (fragment.document for fragment in read_event(one.event.body, _AT).fragments)
            except EventError:
                continue


def _conversations() -> Iterator[bytes]:
    """Yield the paragraphs of the manual as what somebody asked, and was answered."""
    for page in sorted((_ROOT / "docs").glob("*.md")):
        for paragraph in page.read_text().split("\n\n"):
            if len(paragraph) > _SHORT and "|" not in paragraph:
                asked = {"messages": [{"role": "user", "content": paragraph}], "temperature": 0.2}
                message = {"role": "assistant", "content": paragraph}
                yield orjson.dumps(asked)
                yield orjson.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]})


if __name__ == "__main__":
    sys.exit(main())
