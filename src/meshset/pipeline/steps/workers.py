"""Independent work on several cores: each item in a process of its own, results in order."""

from __future__ import annotations

import signal
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
    executor = loky.get_reusable_executor(max_workers=count, timeout=_IDLE, initializer=_ignore_ctrl_c, env=_ONE_THREAD)
    try:
        yield from executor.map(work, items)
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise


def _ignore_ctrl_c() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
