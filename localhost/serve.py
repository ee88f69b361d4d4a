"""`start`: HTTP functions, timers and the hubs' consumers, until a signal ends it."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import uvicorn

from localhost.environment import Host
from localhost.errors import UsageError
from localhost.event_log import Consumer, EventLog
from localhost.functions import AppFunctions
from localhost.http_app import HttpApp, Routes
from localhost.namespace import Namespace
from localhost.timers import Timer

__all__ = ["HOST_ADDRESS", "serve"]

HOST_ADDRESS = "127.0.0.1"
"""Local roles are for this machine only, so nobody else can connect."""


class Worker(Protocol):
    """Something that runs beside the HTTP functions until the stop event is set."""

    def start(self) -> None:
        """Begin."""

    def join(self) -> None:
        """Wait until what is under way has ended."""


def serve(functions: AppFunctions, host: Host, *, port: int, hubs: EventLog | Namespace | None) -> None:
    """Run all functions until SIGINT or SIGTERM; then let what is under way end.

    Args:
        functions: the app's.
        host: what host.json says.
        port: of 127.0.0.1; 0 takes a free one.
        hubs: consumed, when there are any: the local event log or a namespace.

    Raises:
        UsageError: the port is taken, or a timer's schedule or a connection string cannot be read.
    """
    stop = threading.Event()
    workers: list[Worker] = [Timer(timer, stop) for timer in functions.timers]
    workers += _consumers(functions, host, hubs, stop)
    app = HttpApp(Routes(functions.http, host.route_prefix))
    with _listener(port) as listener, _signals() as signals:
        for worker in workers:
            worker.start()
        try:
            asyncio.run(_serve_http(app, listener, signals))
        finally:
            stop.set()
            for worker in workers:
                worker.join()


def _consumers(
    functions: AppFunctions, host: Host, hubs: EventLog | Namespace | None, stop: threading.Event
) -> list[Worker]:
    if hubs is None:
        return []
    if isinstance(hubs, EventLog):
        size = host.max_event_batch_size
        return [Consumer(function, hubs, batch_size=size, stop=stop) for function in functions.event_hubs]
    # Azure's clients take half a second to import, and the local event log needs none of them.
    from localhost.hub_consumer import HubConsumer  # noqa: PLC0415

    return [HubConsumer(function, hubs, host, stop) for function in functions.event_hubs]


async def _serve_http(app: HttpApp, listener: socket.socket, signals: Sequence[int]) -> None:
    address = f"http://{HOST_ADDRESS}:{listener.getsockname()[1]}"
    print(f"listening on {address}, Ctrl-C ends", file=sys.stderr, flush=True)
    # Forwarding headers go to the app untouched: it is the app that judges them.
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, proxy_headers=False, server_header=False
    )
    server = uvicorn.Server(config)
    watching = asyncio.create_task(_end_on(signals, server))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()


async def _end_on(signals: Sequence[int], server: uvicorn.Server) -> None:
    # A signal may come before uvicorn listens to signals itself.
    while not signals:  # noqa: ASYNC110  # a signal handler can set no asyncio event safely
        await asyncio.sleep(0.1)
    server.should_exit = True


@contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    # asyncio sets TCP_NODELAY only on connections whose listener names its protocol, and without it each answer
    # on a connection that stays open waits for the client's delayed acknowledgement: 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST_ADDRESS, port))
            # Whoever reads that this listens may connect at once, and waits until uvicorn accepts.
            listener.listen()
        except (OSError, OverflowError) as error:
            raise UsageError(f"port {port} cannot be used: {error}") from error
        yield listener


@contextmanager
def _signals() -> Iterator[Sequence[int]]:
    """Only note the signals to end: uvicorn raises them again once it has ended on them.

    The handler takes no lock, not even an event's: it may run while this very thread holds it.
    """
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
