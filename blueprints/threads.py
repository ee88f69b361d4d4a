"""Threads of the answers' own: those of the worker may all wait for a store, and so may those of the event loop.

On Python 3.13 the two are the same after a start as a placeholder, and as many as the machine has cores and four.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

__all__ = ["on_own_thread"]

_Result = TypeVar("_Result")

_THREADS: Final = ThreadPoolExecutor(4, thread_name_prefix="answers")


async def on_own_thread(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns; the event loop goes on meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, copy_context().run, work)
