"""How long a client waits for the local server, on a connection that it keeps."""

import tempfile
import time
from pathlib import Path

import httpx

from tests.e2e.commands import started

REQUESTS = 200
WARM_UP = 20


def answers() -> float:
    """Print how long answers take over one connection; return the milliseconds of half of the requests."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as server, httpx.Client() as client:
        times = [_milliseconds(client, f"{server.url}/api/health/live") for _ in range(WARM_UP + REQUESTS)]
    ordered = sorted(times[WARM_UP:])
    half, most = ordered[REQUESTS // 2], ordered[REQUESTS * 95 // 100]
    print(f"answers    {half:8.1f} ms for half of the requests on a kept connection, 95 % within {most:.1f} ms")
    return half


def _milliseconds(client: httpx.Client, url: str) -> float:
    start = time.perf_counter()
    client.get(url).raise_for_status()
    return (time.perf_counter() - start) * 1000
