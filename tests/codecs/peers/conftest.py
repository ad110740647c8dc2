"""Scripts that stand in for programs of others."""

import stat
import sys

import pytest


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put an executable Python script on a PATH of its own."""

    def run(name: str, source: str):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{source}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))
        return path

    return run
