"""What one compression was asked for, checked before any file is read, and what the archive keeps of that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from meshset.codecs import codec_by_name
from meshset.codecs.control_mesh.codec import DEFAULT_ERROR, ControlMeshCodec
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.protocol import Goal, ParametrisedCodec, SetCodec, Settings, SteerableCodec
from meshset.errors import MeshsetError
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.pipeline.steps.requirements import require_modules, resolve_device
from meshset.pipeline.steps.target import Target
from meshset.vocabulary import AUTO

_USUAL_REPORT = {
    "field_error": 0.12723249407880668,
    "estimated_bytes": 100_000,
    "rate_weight": 1.23e-6,
    "steps": 15_000,
    "coded_bytes": 101_000,
    "steps_scaled": 1.0442737824274138,
    "parameters": 355_256,
}
"""As large as the report of a codec that learns a decoder, whatever it says."""


_MANY, _FEW = 300, 24
"""From so many meshes on a decoder that they share is tried; with preset "best" from so few."""


@dataclass(frozen=True)
class Order:
    """What the user wants of one set.

    Attributes:
        settings: what every codec understands, the device resolved.
        system: the codec, its goal set.
        bound: on the error of each mesh; None for none.
        goal: rate, time, and who may end the training.
        target: size of the archive; None for none.
        chooses: whether each mesh takes what codes it in the fewest bytes; `system` is then the usual one.
    """

    settings: Settings
    system: SetCodec
    bound: Bound | None
    goal: Goal
    target: Target | None
    chooses: bool = False

    @classmethod
    def checked(
        cls,
        settings: Settings,
        codec: str | SetCodec,
        max_error: float | None,
        max_distance: float | None,
        goal: Goal,
        target: Target | None,
    ) -> Order:
        """Return an order that can be carried out.

        Raises:
            MeshsetError: there is no such codec or device, a number is out of range, or two wishes contradict.
            MissingExtraError: the 'compress' extra is not installed.
        """
        require_modules("compression", "compress", ("torch", "igl", "scipy"))
        if not (math.isfinite(goal.rate) and goal.rate > 0):
            raise MeshsetError(f"the rate must be above 0, not {goal.rate}")
        chooses = codec == AUTO and goal.seconds is None
        usual = DEFAULT_ERROR / goal.rate if chooses and target is None else None
        bound = Bound.checked(max_error, max_distance, usual)
        if target is not None and (bound is not None or goal.rate != 1.0):
            raise MeshsetError(
                "a target for the size decides rate and error by itself: it cannot be combined with a rate or a bound"
            )
        settings = replace(settings, device=resolve_device(settings.device))
        if chooses:
            alone = ControlMeshCodec(DEFAULT_ERROR if bound is None else bound.mean)
            return cls(settings, alone, bound, goal, target, chooses=True)
        system = codec_by_name(NecgsCodec.name if codec == AUTO else codec) if isinstance(codec, str) else codec
        return cls(settings, _steered(system, goal, target is not None), bound, goal, target)

    def as_set(self, count: int) -> Order | None:
        """Return the order with the codec that shares a decoder among so many meshes, None where that cannot pay."""
        if self.target is not None or (count < _MANY and self.settings.preset != "best") or count < _FEW:
            return None
        return replace(self, system=_steered(codec_by_name(NecgsCodec.name), self.goal, targeted=False), chooses=False)

    def budgeted(self, prepared: Sequence[PreparedMesh]) -> Order:
        """Return the order with the bytes that a target leaves for the shared part and payloads of these meshes."""
        if self.target is None:
            return self
        usual = {"would_take": {"control-mesh": 100_000, "draco": 200_000}} if self.chooses else _USUAL_REPORT
        budget = self.target.budget(prepared, self.record(usual, 0))
        if self.chooses:
            return replace(self, goal=replace(self.goal, budget=budget))
        return replace(self, system=_steered(self.system, replace(self.goal, budget=budget), targeted=True))

    @property
    def choices(self) -> dict[str, Any]:
        """What was asked for beyond the settings, as the archive keeps it.

        Times are not part of a run's identity.
        """
        choices = {
            "objective": None if self.settings.objective == "project" else self.settings.objective,
            "rate": None if self.goal.rate == 1.0 else self.goal.rate,
            "target_size": self.target and self.target.size,
            "target_ratio": self.target and self.target.ratio,
            "max_error": self.bound and self.bound.mean,
            "max_distance": self.bound.largest if self.bound and self.bound.largest < math.inf else None,
        }
        return {name: value for name, value in choices.items() if value is not None}

    def record(self, report: Mapping[str, Any], refused: int) -> dict[str, Any]:
        """Return what the archive says of how it was made; no date, so that a seed gives the same archive again.

        Args:
            report: what the codec says of its training.
            refused: how many files are not in it.
        """
        return {
            "meshset": version("meshset"),
            "codec": self.system.name,
            "resolution": self.settings.resolution,
            "field": self.settings.field,
            "preset": self.settings.preset,
            "device": self.settings.device.partition(":")[0],
            "seed": self.settings.seed,
            **self.choices,
            "refused": refused,
            **({"parameters": self.system.parameters()} if isinstance(self.system, ParametrisedCodec) else {}),
            **({"report": report} if report else {}),
        }


def _steered(system: SetCodec, goal: Goal, targeted: bool) -> SetCodec:
    """Return a codec with a goal, or as it is where it takes none and no rate, time or target was asked for.

    Raises MeshsetError where one was asked for, or one is impossible.
    """
    if goal.seconds is not None and not (math.isfinite(goal.seconds) and goal.seconds > 0):
        raise MeshsetError(f"the time must be above 0 seconds, not {goal.seconds}")
    if isinstance(system, SteerableCodec):
        return system.steered(goal)
    if targeted or goal.rate != 1.0 or goal.seconds is not None:
        raise MeshsetError(f"codec {system.name} takes no rate, target or time: only codecs that learn a decoder do")
    return system
