"""Errors that meshset raises on purpose: each message is one line that names the file and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MeshsetError(Exception):
    """Base of every error that a user can cause; the command line prints it and exits with 3, nothing done."""


class UsageError(MeshsetError):
    """Arguments that would destroy what they name; found before anything is done, the command line exits with 2."""


class MeshFileError(MeshsetError):
    """A mesh file or mesh that cannot be used."""


class ArchiveError(MeshsetError):
    """An archive that is damaged, hostile, of an unknown version, or lacks what was asked for."""


class MissingExtraError(MeshsetError):
    """A feature whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the '{extra}' extra: pip install 'meshset[{extra}]'")


@contextmanager
def writing_temporary(folder: object) -> Iterator[None]:
    """Turn an OSError into a MeshsetError that says where temporary files cannot be written."""
    try:
        yield
    except OSError as error:
        # What numpy raises on a full disk has no number.
        raise MeshsetError(f"{folder}: temporary files cannot be written ({error.strerror or error})") from None
