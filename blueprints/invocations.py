"""Whose invocation a log line is of, carried to threads that the worker did not start.

The host drops a line without an invocation, and the worker tells only by its own tasks and threads. What else
tells it differs: the worker of Python 3.13 asks a context variable, those before it a thread's own storage.
"""

import logging
import sys
from contextvars import ContextVar

import azure.functions as func

__all__ = ["carry"]

_current: ContextVar[func.Context | None] = ContextVar("invocation", default=None)


def carry(context: func.Context | None) -> None:
    """Let lines that are logged from here on, on threads that take over this context too, be of this invocation."""
    _current.set(context)
    variable = getattr(sys.modules.get("azure_functions_runtime"), "invocation_id_cv", None)
    if context is not None and variable is not None:
        variable.set(context.invocation_id)


class _Carrier(logging.Handler):
    """Marks the thread that logs; it comes before the worker's own handler, which stands at the root."""

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # whatever it says
        context = _current.get()
        if context is not None:
            # The library says of an instance that it is the class.
            setattr(context.thread_local_storage, "invocation_id", context.invocation_id)  # noqa: B010


for _name in ("blueprints", "shared"):
    if not any(isinstance(one, _Carrier) for one in logging.getLogger(_name).handlers):
        logging.getLogger(_name).addHandler(_Carrier())
