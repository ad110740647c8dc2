"""The command line in this process and in others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import raw_codec
from meshset.cli.app import app

_MAIN = f"""
import sys
sys.path.insert(0, {str(Path(raw_codec.__file__).parent)!r})
import raw_codec
raw_codec.register()
from meshset.cli import main
main()
"""


@pytest.fixture
def meshset():
    """Run a command in this process; the result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def start():
    """Start a command in a process of its own that knows the raw codecs."""

    def run(*arguments, program=_MAIN, **options):
        command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        environment = {**os.environ, "PYTHONUTF8": "1"}
        return subprocess.Popen(command, env=environment, **{**pipes, **options})

    return run


@pytest.fixture
def models(tmp_path):
    """A folder of a ball and a box."""
    raw_codec.ball(tmp_path / "models" / "animals" / "ball.ply", centre=(10, -20, 5), radius=4)
    raw_codec.box(tmp_path / "models" / "box.obj")
    return tmp_path / "models"


@pytest.fixture
def archive(meshset, models, tmp_path):
    """An archive with "animals/ball" and "box"."""
    path = tmp_path / "set.mset"
    result = meshset("compress", models, "-o", path, "--codec", "raw", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    return path
