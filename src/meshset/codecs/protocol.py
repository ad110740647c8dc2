"""The protocol that every compression system implements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from meshset.errors import MeshsetError
from meshset.geometry import Mesh
from meshset.vocabulary import (
    FIELD_KINDS,
    OBJECTIVES,
    PRESETS,
    RESOLUTIONS,
    FieldKind,
    Objective,
    Preset,
    Resolution,
    either,
)

_CHOICES = {"resolution": RESOLUTIONS, "field": FIELD_KINDS, "preset": PRESETS, "objective": OBJECTIVES}


@dataclass(frozen=True)
class Settings:
    """What the user chose, as far as every codec understands it.

    Attributes:
        resolution: K, grid points along each side of the cube [-1, 1]^3.
        field: "tsdf" or "tsdf-def": whether grid points may move to keep thin and sharp parts.
        preset: "fast", "balanced" or "best": how long to train, and how bits are weighed against distortion.
        device: torch device string to train on, such as "cpu" or "cuda"; where nothing is trained yet, also "auto".
        seed: start of every random sequence, at least 0.
        objective: "project" or "render": what a TSDF-Def is fitted by (`meshset.field.fitting.fit_deformation`).

    Raises:
        MeshsetError: a value is none of these.

    >>> Settings(resolution=128).preset
    'balanced'
    """

    resolution: Resolution = 64
    field: FieldKind = "tsdf-def"
    preset: Preset = "balanced"
    device: str = "cpu"
    seed: int = 0
    objective: Objective = "project"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise MeshsetError(f"{name} {value!r} is not {either(choices)}")
        if self.seed < 0:
            raise MeshsetError(f"seed {self.seed} is below 0")
        if self.objective == "render" and self.field == "tsdf":
            raise MeshsetError("objective 'render' needs field 'tsdf-def': a plain TSDF is sampled, not fitted")


@contextmanager
def _never() -> Iterator[Callable[[], bool]]:
    yield lambda: False


NEVER: Callable[[], AbstractContextManager[Callable[[], bool]]] = _never
"""Lets training come to its own end."""


@dataclass(frozen=True)
class Goal:
    """What the user wants of a set beyond `Settings`, for a `SteerableCodec`.

    Attributes:
        rate: above 1 spends more bytes for less error than the preset, below 1 the other way round.
        budget: gives the bytes that the shared part and all payloads shall take together, from the indices of the
            meshes that the codec can represent and the least bytes that it can make of them; raises MeshsetError where
            these are too many. None for whatever `rate` leads to.
        seconds: how long to train; None leaves it to the preset.
        stopping: entered around training; what it gives is asked after each step whether to come to an end now.
    """

    rate: float = 1.0
    budget: Callable[[Sequence[int], int], int] | None = None
    seconds: float | None = None
    stopping: Callable[[], AbstractContextManager[Callable[[], bool]]] = NEVER


NO_GOAL = Goal()


@dataclass(frozen=True)
class CodedMesh:
    """One mesh of a coded set.

    Attributes:
        payload: the bytes that belong to this mesh alone.
        notes: what was repaired or approximated, one line each, for the user and the archive.
    """

    payload: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A mesh that the codec cannot represent, with the reason in one line."""

    reason: str


@dataclass(frozen=True)
class CodedSet:
    """What `SetCodec.compress` returns.

    Attributes:
        shared: bytes stored once for the whole set; may be empty.
        meshes: one entry for each input mesh, in the same order.
        report: what the training reached, for `meshset info` (JSON values only).
    """

    shared: bytes
    meshes: tuple[CodedMesh | Refusal, ...]
    report: dict[str, Any]


class Checkpoint(Protocol):
    """A place for the state of long work, found again by a run with the same meshes and settings."""

    def load(self) -> bytes | None:
        """Return the state that was saved last, None where there is none."""
        ...

    def save(self, state: bytes) -> None:
        """Keep a state in place of the one before. Never raises: that it cannot be kept must not end the work."""
        ...


class SetCodec(Protocol):
    """A system that codes a set of normalised meshes into a shared part and one payload per mesh.

    A codec sees meshes in the cube [-1, 1]^3 only; where they stand in the world is the archive's business.
    """

    id: ClassVar[int]
    """Stable number, written in docs/SPEC.md and never reused."""
    name: ClassVar[str]
    """Short name for `--codec` and for listings."""

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Code `meshes` together.

        Args:
            meshes: may be loaded from disk whenever they are indexed.
            settings: what the user chose.
            checkpoint: where a codec that takes long keeps its state; it goes on from a state that it finds there.
        """
        ...

    def open(self, shared: bytes, device: str | None = None) -> MeshDecoder:
        """Parse the shared part once and return a decoder for payloads that were coded with it.

        `device` None decodes with numpy; a torch device string decodes with torch tensors there.
        Raises ArchiveError where the bytes are not valid.
        """
        ...


# What a codec may be able to do beside that, as protocols of its own: `isinstance` tells whether it is.


@runtime_checkable
class GrowingCodec(SetCodec, Protocol):
    """A codec whose sets take more meshes, the shared part unchanged."""

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Code more meshes for a set that exists.

        Args:
            meshes: as in `compress`.
            shared: the set's shared part, empty if it has none.
            settings: device and seed matter; resolution, field and whatever else the shared part fixes do not.

        Returns:
            One entry for each mesh, in the same order.

        Raises:
            ArchiveError: `shared` is not valid.
        """
        ...


@runtime_checkable
class SteerableCodec(SetCodec, Protocol):
    """A codec that is trained for as long, and to as many bytes, as the user wants."""

    def steered(self, goal: Goal) -> SetCodec:
        """Return the codec with a goal for `compress`."""
        ...


@runtime_checkable
class RefiningCodec(GrowingCodec, Protocol):
    """A codec whose payloads become more exact by more work, the shared part unchanged."""

    def refine(
        self, meshes: Sequence[Mesh], payloads: Sequence[bytes], shared: bytes, settings: Settings
    ) -> tuple[CodedMesh | Refusal, ...]:
        """Work on payloads, one for each mesh, as `compress` or `add` made them.

        The other arguments, what is returned and the errors are those of `add`. A payload may come out worse.
        """
        ...


@runtime_checkable
class RetrainingCodec(GrowingCodec, Protocol):
    """A codec whose shared part can learn more meshes, starting from where it is."""

    def retrain(
        self,
        stored: Sequence[bytes],
        meshes: Sequence[Mesh],
        payloads: Sequence[bytes],
        shared: bytes,
        settings: Settings,
    ) -> CodedSet:
        """Train a shared part further, on a set as it is stored and on more meshes together.

        Args:
            stored: payloads of the set; what they decode to now is what they shall go on decoding to.
            meshes: those that join, as in `compress`.
            payloads: where to start with them, one for each, as `add` made them.
            shared: the set's shared part.
            settings: as in `add`.

        Returns:
            A new shared part, and one entry for each stored payload, then one for each mesh.

        Raises:
            ArchiveError: what is stored is not valid.
        """
        ...


@runtime_checkable
class ParametrisedCodec(SetCodec, Protocol):
    """A codec with parameters of its own that no shared part holds; an archive keeps them in its settings."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, JSON values by name."""
        ...

    def with_parameters(self, parameters: Mapping[str, Any]) -> SetCodec:
        """Return the codec that has these parameters, as they were read from an archive; others are left out.

        Raises ArchiveError where no such codec can have them.
        """
        ...


def parameters_of(codec: object) -> dict[str, Any]:
    """Return all that tells two codecs of one name apart.

    Those are the fields of a dataclass that count when it is compared, and what a `ParametrisedCodec` says.
    """
    own = fields(codec) if is_dataclass(codec) and not isinstance(codec, type) else ()
    named = {one.name: _plain(getattr(codec, one.name)) for one in own if one.compare}
    return named | (codec.parameters() if isinstance(codec, ParametrisedCodec) else {})


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


class MeshDecoder(Protocol):
    """Turns payloads back into meshes."""

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError on invalid bytes."""
        ...


@runtime_checkable
class LayeredDecoder(MeshDecoder, Protocol):
    """A decoder of smooth surfaces, which come as coarse or as fine as they are wanted."""

    def decode_at(self, payload: bytes, level: int) -> Mesh:
        """Return the normalised mesh at a level from 0, the coarsest; one that has no levels as it is.

        Raises:
            ArchiveError: invalid bytes, or ones that make too many faces at this level.
            ValueError: there is no such level.
        """
        ...
