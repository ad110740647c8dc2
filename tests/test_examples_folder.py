"""The scripts of examples/ run as a newcomer would run them, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SAYS = {
    "add_under_a_bound": r"5 meshes added in",
    "bench_your_meshes": r"draco, a quarter of the faces +[0-9,]+ +[0-9.]+x +[0-9.]+%",
    "compress_arrays": r"volume of the ball: 4\.[01]",
    "open_and_show": r"picture",
    "read_over_http": r"(?s)HEAD.*GET bytes=.*faces came",
    "train_on_points": r"(9[0-9]|100)% of [0-9]+ held-out shapes recognised",
}


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_an_example_runs(script, tmp_path):
    if script.stem == "read_over_http":
        pytest.importorskip("aiohttp")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[script.stem], done.stdout), done.stdout
