"""Meshes that could not be handled while the rest went on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from meshset.archive.names import label
from meshset.errors import MeshsetError
from meshset.text import counted


@dataclass(frozen=True)
class Failure:
    """One file or mesh that was left out.

    Attributes:
        subject: path of the file, or name of the mesh.
        reason: why, in one line.
    """

    subject: str
    reason: str

    @classmethod
    def of(cls, subject: str, error: Exception, file: str | os.PathLike[str]) -> Failure:
        """Make a failure of an error, without the name of the `file` that the error's message begins with."""
        reason = str(error)
        for start in (f"{os.fspath(file)}: ", f"{label(file)}: "):
            reason = reason.removeprefix(start)
        return cls(subject, reason)

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


MISSING = "in the archive, but not among the sources"
"""Why a mesh was not measured. Whoever gives some of the sources knows that the others are missing."""

_SHOWN = 3
"""Meshes without a source that are named."""


def in_short(failures: Iterable[Failure]) -> list[str]:
    """Return a line for each failure; of meshes without a source the first few, and how many more there are."""
    failures = list(failures)
    missing = [str(failure) for failure in failures if failure.reason == MISSING]
    others = [str(failure) for failure in failures if failure.reason != MISSING]
    more = len(missing) - _SHOWN
    rest = [f"{counted(more, 'more mesh', 'more meshes')}: {MISSING}"] if more > 0 else []
    return [*missing[:_SHOWN], *rest, *others]


class NoMeshError(MeshsetError):
    """Nothing is left to work on.

    Attributes:
        failures: what was left out, and why.
    """

    def __init__(self, message: str, failures: Iterable[Failure]) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class FailureLog:
    """The failures of one run, in order.

    Args:
        strict: whether the first failure ends the run with a MeshsetError.
    """

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        self._failures: list[Failure] = []

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What was added so far."""
        return tuple(self._failures)

    def add(self, failure: Failure) -> None:
        """Keep a failure, or raise it as a MeshsetError if the run is strict."""
        if self._strict:
            raise MeshsetError(str(failure))
        self._failures.append(failure)
