"""The `context` parameter of a function, as the worker makes it."""

import threading
import uuid
from typing import Final

import azure.functions as func

# The library exports Context, but not the classes of what is in it.
from azure.functions._abc import RetryContext, RpcException, TraceContext

from localhost.environment import APP_ROOT

__all__ = ["LocalContext"]

_THREAD_LOCAL: Final = threading.local()


class _NoTrace(TraceContext):
    """A call that nobody traces."""

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def trace_parent(self) -> str:
        return ""

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class _FirstTry(RetryContext):
    """HTTP functions are never repeated."""

    @property
    def retry_count(self) -> int:
        return 0

    @property
    def max_retry_count(self) -> int:
        return 0

    @property
    def exception(self) -> RpcException:
        raise LookupError("the first try follows no exception")


class LocalContext(func.Context):
    """One invocation."""

    def __init__(self, function_name: str) -> None:
        """Begin an invocation of the function of that name."""
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())

    @property
    def invocation_id(self) -> str:
        """A new GUID for every invocation."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> type[threading.local]:
        """What the worker's log handler reads the invocation id from."""
        # The library's annotation says type; the worker passes an instance.
        return _THREAD_LOCAL  # type: ignore[return-value]

    @property
    def function_name(self) -> str:
        """The function's registered name."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The app's folder: the functions of the v2 model have none of their own."""
        return str(APP_ROOT)

    @property
    def trace_context(self) -> TraceContext:
        """Nothing: there is no tracing here."""
        return _NoTrace()

    @property
    def retry_context(self) -> RetryContext:
        """The first try."""
        return _FirstTry()
