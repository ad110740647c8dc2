"""Independent work on several cores: each item in a process of its own, results in order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_WORTH = 4
"""From so many items on processes are started, which takes each of them a second."""

_IDLE = 20
"""Seconds that processes wait for the next pass."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def each_in_processes(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
    """Yield what `work` makes of each item, in order; items, results and the function travel as pickles.

    As many processes as there are cores, or as LOKY_MAX_CPU_COUNT allows, each with one thread. Scripts need no guard
    around their main part.
    """
    import loky

    count = min(loky.cpu_count(), len(items))
    if count == 1 or len(items) < _WORTH:
        yield from map(work, items)
        return
    executor = loky.get_reusable_executor(
        max_workers=count, timeout=_IDLE, initializer=_follow, initargs=(os.getpid(),), env=_ONE_THREAD
    )
    try:
        # Not `map`: what it cancels on the way out is reported by a thread of loky as an error.
        futures = [executor.submit(work, item) for item in items]
        for future in futures:
            yield future.result()
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise


def _follow(leader: int) -> None:
    """Leave Ctrl-C to the process that started this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(leader,), daemon=True).start()


def _end_with(leader: int) -> None:
    while os.getppid() == leader:
        time.sleep(1.0)
    os._exit(1)
