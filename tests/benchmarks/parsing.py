"""How fast events are read: the recordings as native events, beside orjson alone on the same bytes."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from shared.domain.fragment import Content
from shared.operations.estimate import estimated_usage
from shared.sources import read_event
from tests.benchmarks.figures import Figure

__all__ = ["CORPUS", "parsing"]

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "open"
ROUNDS = 7
AT = "2026-03-02T09:00:00.000Z"
GOALS = {"JSON": 150.0, "streams": 80.0}
"""Megabytes a second."""


def parsing() -> list[Figure]:
    """Return what a megabyte takes; nothing where there are no recordings to read. Print the rates."""
    if not CORPUS.is_dir():
        print("parsing    not measured: the recordings are not beside the checkout")
        return []
    figures = []
    for name, events in _events().items():
        size = sum(map(len, events)) / 1e6
        ours = size / _best(lambda events=events: [read_event(event, AT) for event in events])  # type: ignore[misc]
        bare = size / _best(lambda events=events: [orjson.loads(event) for event in events])  # type: ignore[misc]
        print(f"{name:10} {ours:8.0f} MB/s read, {ours / bare:.0%} of orjson's {bare:.0f}   ({len(events)} events)")
        figures.append(Figure(f"a megabyte of {name}", 1000 / ours, goal=1000 / GOALS[name]))
        if name == "JSON":
            figures.append(Figure("JSON, over orjson alone", bare / ours, unit="", goal=2.5))
    text = " ".join(path.read_text(errors="replace") for path in sorted(CORPUS.glob("*/*.request.json")))
    asked = Content(request={"messages": [{"role": "user", "content": text}]}, response={"choices": []})
    rate = len(text.encode()) / 1e6 / _best(lambda: estimated_usage("chat.completions", "gpt-4o", asked))
    print(f"estimates  {rate:8.0f} MB/s of text")
    return [*figures, Figure("estimate of a megabyte of text", 1000 / rate, goal=200.0)]


def _best(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return max(min(seconds), 1e-9)


def _events() -> dict[str, Sequence[bytes]]:
    """Return the recorded bodies as native events: those that are JSON, and those that are event streams."""
    events: dict[str, list[bytes]] = {"JSON": [], "streams": []}
    for meta in sorted(CORPUS.glob("*/*.meta.json")):
        call = json.loads(meta.read_text())
        stem = meta.with_name(meta.name.removesuffix(".meta.json"))
        url = urlsplit(call["url"])
        head = {"schema": "promptledger/1", "interactionId": stem.name[-100:], "time": AT}
        request, response = Path(f"{stem}.request.json"), Path(f"{stem}.response.json")
        stream = Path(f"{stem}.response.sse")
        if request.exists():
            asked = {
                "part": "request",
                "method": call["method"],
                "url": url.path,
                "body": json.loads(request.read_text()),
            }
            events["JSON"].append(orjson.dumps(head | asked))
        if response.exists():
            answered = {"part": "response", "status": call["status"], "body": json.loads(response.read_text())}
            events["JSON"].append(orjson.dumps(head | answered))
        if stream.exists():
            streamed = {"part": "response", "status": call["status"], "body": stream.read_text()}
            events["streams"].append(orjson.dumps(head | streamed))
    return {name: found for name, found in events.items() if found}
