"""Work in several processes, and how long work takes."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do independent work in one process a core, each with one thread, and show how far it is."""
    context = multiprocessing.get_context("spawn")
    results = []
    with context.Pool(os.cpu_count(), initializer=_one_thread) as pool:
        for number, result in enumerate(pool.imap(work, items), 1):
            results.append(result)
            print(f"{number} of {len(items)}", end="\r", flush=True)
    return results


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the shortest time of `repeats` runs after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
