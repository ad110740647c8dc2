"""Work in several processes: the same results, errors that come through, and nothing that stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.codecs.control_mesh import shapes

from meshset.pipeline.compress import compress
from meshset.workers import each_in_processes


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")


def process_of(_: int) -> int:
    return os.getpid()


def hundred_over(number: int) -> float:
    return 100 / number


def test_results_come_in_order_from_other_processes(two: None) -> None:
    assert list(each_in_processes(hundred_over, [1, 2, 4, 5, 10])) == [100, 50, 25, 20, 10]
    assert os.getpid() not in set(each_in_processes(process_of, range(6)))


def test_little_work_stays_here(two: None) -> None:
    assert set(each_in_processes(process_of, range(3))) == {os.getpid()}


def test_an_error_comes_through_and_the_next_work_is_done(two: None) -> None:
    with pytest.raises(ZeroDivisionError):
        list(each_in_processes(hundred_over, [1, 2, 0, 4, 5]))
    assert list(each_in_processes(hundred_over, [1, 2, 4, 5])) == [100, 50, 25, 20]


SCRIPT = """
import os, time
from meshset.workers import each_in_processes
def wait(number):
    print(os.getpid(), flush=True)
    time.sleep(60)
list(each_in_processes(wait, range(4)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(sent: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "2", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", SCRIPT]
    with (
        (tmp_path / "told").open("w+") as told,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=told, text=True) as leader,
    ):
        assert leader.stdout is not None
        workers = {int(leader.stdout.readline()) for _ in range(2)}
        leader.send_signal(sent)
        leader.wait(timeout=20)
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(map(alive, workers))
    assert "InvalidStateError" not in (tmp_path / "told").read_text()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_an_archive_does_not_depend_on_the_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meshes = {f"part {place}": (shape[0] * (1 + place), shape[1]) for place, shape in enumerate([shapes.sphere()] * 5)}
    archives = []
    for count in ("1", "2"):
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", count)
        archives.append(compress(meshes, tmp_path / f"{count}.mset", preset="fast", device="cpu").path.read_bytes())
    assert archives[0] == archives[1]
