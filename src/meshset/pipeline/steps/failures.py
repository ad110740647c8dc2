"""Meshes that could not be handled while the rest went on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from meshset.archive.names import label
from meshset.errors import MeshsetError


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
