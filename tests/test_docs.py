"""What the README and docs/ show: Python that compiles and runs, and commands that the command line takes."""

from __future__ import annotations

import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import typer

import meshset
import raw_codec
from meshset.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNNING = [ROOT / "docs" / "start.md", ROOT / "docs" / "python.md"]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
COMMANDS = typer.main.get_command(app)


def of_pages(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of these languages."""
    return [code for language, code in FENCE.findall(page.read_text()) if language in languages]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of meshset in a block, without pipes, redirections and comments."""
    prose = FENCE.sub("", page.read_text())
    for block in [*blocks(page, "console", "sh", ""), *INDENTED.findall(prose)]:
        prompt = "$ " if re.search(r"^\s*\$ ", block, re.MULTILINE) else ""
        for line in textwrap.dedent(block).replace("\\\n", " ").splitlines():
            if line.startswith(f"{prompt}meshset "):
                words = shlex.split(line.removeprefix(prompt), comments=True)
                yield words[1 : next((n for n, word in enumerate(words) if re.match(r"[|>;&]", word)), None)]


@of_pages(PAGES)
def test_python_compiles(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, page.name, "exec")


@of_pages(PAGES)
def test_commands_are_understood(page: Path) -> None:
    for words in commands(page):
        # nothing of the program itself is run, such as the installation of completion
        with COMMANDS.make_context("meshset", list(words), resilient_parsing=True):
            pass
        if words[0] in COMMANDS.commands:
            command = COMMANDS.commands[words[0]]
            with command.make_context(words[0], words[1:]):
                pass
        else:
            assert words[0].startswith("-"), f"there is no meshset {words[0]}"


def test_commands_are_found_and_what_is_wrong_in_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "    meshset list a.mset | less  # all\n\n```console\n$ meshset add a.mset \\\n    b\nmeshset keeps\n```\n"
    )
    assert list(commands(page)) == [["add", "a.mset", "b"], ["list", "a.mset"]]
    page.write_text("    meshset list a.mset --sorted\n")
    with pytest.raises(Exception, match="No such option: --sorted"):
        test_commands_are_understood(page)


@pytest.mark.parametrize("name", meshset.__all__)
def test_the_reference_has_every_public_name(name: str) -> None:
    if name != "__version__":
        assert f"::: meshset.{name}\n" in (ROOT / "docs" / "reference.md").read_text()


@of_pages(RUNNING)
def test_python_runs(page: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    raw_codec.ball(Path("models/gear-000.ply"))
    meshset.compress("models/", "models.mset", codec="draco", force=True)
    # training takes minutes, and what is made of the result is the same
    monkeypatch.setattr(meshset, "compress", partial(meshset.compress, codec="draco"))
    names: dict[str, object] = {}
    code = blocks(page, "python")
    assert code
    for one in code:
        exec(compile(one, page.name, "exec"), names)  # noqa: S102 -- our own pages
