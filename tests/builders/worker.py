"""The Functions worker of Python 3.13, with the app's functions, as far as it runs without the host.

The runtime is the real one, and so are its threads, its context and azure-functions' converters. What stands here in
place of its dispatcher is how it tells of which invocation a line is: by task, context variable, then thread.
"""

import asyncio
import logging
import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, NamedTuple

from azure.functions.meta import Datum
from azure_functions_runtime import handle_event, invocation_id_cv
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.native_invocation import invocation_request_native
from azure_functions_runtime.utils import threadpool

from tests.builders.host_batches import collection_of, metadata_of

__all__ = ["Line", "Worker", "hold_lock"]

THREADS = 6
"""Of a worker that was started as a placeholder, on two cores, whatever the settings say."""


class Line(NamedTuple):
    """A record that the worker sends to the host, which drops one without an invocation."""

    invocation: str | None
    logger: str
    text: str


class _Dispatcher(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[Line] = []
        self.tasks: dict[int, str] = {}
        """Invocations by their tasks: an attribute of the task, in the worker."""

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(Line(self._invocation(), record.name, self.format(record)))

    def _invocation(self) -> str | None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None and id(task) in self.tasks:
            return self.tasks[id(task)]
        told: str | None = invocation_id_cv.get()
        return told


class Worker:
    """Runs the app's functions. One a process: the library lets an app be indexed once."""

    def __init__(self) -> None:
        """Index the app, and log as the worker does."""
        import function_app  # noqa: PLC0415  # not at the import of this module, which indexes nothing

        protos = SimpleNamespace(BindingInfo=SimpleNamespace(undefined=0, out=1, inout=2))
        load_binding_registry()
        registry = handle_event._functions
        found = [registry.add_indexed_function(one, protos) for one in function_app.app.get_functions()]
        self._ids = {one.name: one.function_id for one in found}
        threadpool._threadpool_executor = ThreadPoolExecutor(THREADS)
        self._dispatcher = _Dispatcher()
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger().addHandler(self._dispatcher)

    @property
    def lines(self) -> list[Line]:
        """What was logged."""
        return self._dispatcher.lines

    async def call(self, name: str, inputs: Mapping[str, Datum], metadata: Mapping[str, Datum]) -> Any:
        """Invoke a function; return what the runtime does: ok, answer, outputs, error and trace."""
        invocation = str(uuid.uuid4())

        async def invoke() -> Any:
            task = asyncio.current_task()
            self._dispatcher.tasks[id(task)] = invocation
            try:
                # The dispatcher sets no variable for a function that is a coroutine.
                token = invocation_id_cv.set(None)
                answer = await invocation_request_native(invocation, self._ids[name], [*inputs.items()], {**metadata})
                invocation_id_cv.reset(token)
                return answer
            finally:
                del self._dispatcher.tasks[id(task)]

        return await asyncio.create_task(invoke())

    async def http(self, name: str, url: str, *, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
        """Invoke a function by HTTP; return status and body."""
        request = {
            "method": Datum(method, "string"),
            "url": Datum(f"http://localhost:7071{url}", "string"),
            "headers": {
                "content-type": Datum("application/json", "string"),
                "host": Datum("localhost:7071", "string"),
                "x-local-token": Datum(os.environ.get("PROMPTLEDGER_LOCAL_TOKEN", ""), "string"),
            },
            "params": {},
            "query": {},
            "body": Datum(body, "bytes"),
        }
        ok, answer, _, error, trace = await self.call(name, {"req": Datum(request, "http")}, {})
        if not ok:
            raise AssertionError(f"{error}\n{trace}")
        return int(answer.value["status_code"].value), answer.value["body"].value

    async def events(self, name: str, bodies: Sequence[bytes], *, first: int = 0, partition: str = "0") -> Any:
        """Invoke a function with a batch of one partition's events; return what the runtime does."""
        metadata = metadata_of(bodies, first=first, partition=partition)
        return await self.call(name, {"events": collection_of(bodies)}, metadata)


def hold_lock(path: str) -> threading.Event:
    """Lock the SQLite database at `path` for writing, until the event that is returned is set."""
    import sqlite3  # noqa: PLC0415  # what only this needs

    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("begin immediate")
        held.set()
        over.wait(60)
        connection.execute("rollback")
        connection.close()

    threading.Thread(target=hold, daemon=True).start()
    held.wait(10)
    return over
