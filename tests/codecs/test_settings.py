"""What a user may choose, and what is said of anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError
from meshset.geometry.writing import _ENCODERS
from meshset.vocabulary import MESH_FORMATS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"resolution": 48}, "resolution 48 is not 32, 64, 128 or 256"),
        ({"field": "sdf"}, "field 'sdf' is not tsdf or tsdf-def"),
        ({"preset": "slow"}, "preset 'slow' is not fast, balanced or best"),
        ({"objective": "look"}, "objective 'look' is not project or render"),
        ({"seed": -1}, "seed -1 is below 0"),
        ({"field": "tsdf", "objective": "render"}, "objective 'render' needs field 'tsdf-def'"),
    ],
)
def test_a_choice_that_there_is_not_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshsetError, match=message):
        Settings(**wrong)
    with pytest.raises(MeshsetError, match=message):
        replace(Settings(), **wrong)


def test_every_format_of_the_vocabulary_has_an_encoder() -> None:
    assert tuple(_ENCODERS) == MESH_FORMATS
