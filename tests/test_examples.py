"""The examples in docstrings of what users call run as they stand."""

from __future__ import annotations

import doctest
import shutil
from importlib import import_module
from pathlib import Path

import pytest

PUBLIC = [
    "meshset",
    "meshset.vocabulary:either",
    "meshset.codecs:codec_by_name",
    "meshset.codecs:codec_label",
    "meshset.codecs.protocol:Settings",
    "meshset.geometry.mesh:Mesh",
    "meshset.geometry.reading:read_mesh",
    "meshset.geometry.writing:write_mesh",
    "meshset.evaluation.metrics:compare",
    "meshset.pipeline.add:add",
    "meshset.pipeline.add:replace",
    "meshset.pipeline.check:check",
    "meshset.pipeline.compress:compress",
    "meshset.pipeline.edit:merge",
    "meshset.pipeline.edit:remove",
    "meshset.pipeline.evaluate:evaluate",
    "meshset.pipeline.extract:extract",
    "meshset.pipeline.fit:fit",
    "meshset.pipeline.open:Archive",
    "meshset.pipeline.repair:repair",
    "meshset.pipeline.sample:sample",
    "meshset.pipeline.summary:list_meshes",
    "meshset.pipeline.summary:summarise",
    "meshset.pipeline.verify:verify",
    "meshset.torch.dataset:MeshSet",
    "meshset.torch.dataset:collate",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run_as_they_stand(
    name: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    module_name, _, attribute = name.partition(":")
    module = import_module(module_name)
    found = getattr(module, attribute) if attribute else module
    examples = doctest.DocTestFinder(recurse=False).find(found, name, module=False, globs=dict(vars(module)))
    assert any(one.examples for one in examples), f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for one in examples:
        runner.run(one)
    assert runner.failures == 0, capsys.readouterr().out
