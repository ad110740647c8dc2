"""What meshes that join an archive are coded with: the codec and the shared part that most of its meshes use."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from meshset.archive import ArchiveEditor, ArchiveReader, MeshEntry
from meshset.archive.names import naming
from meshset.codecs import codec_by_id, codec_by_name
from meshset.codecs.control_mesh.codec import ControlMeshCodec
from meshset.codecs.mesh_group.codec import MeshGroupCodec
from meshset.codecs.protocol import GrowingCodec, MeshDecoder, ParametrisedCodec, SetCodec
from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.draft import Reader
from meshset.pipeline.steps.records import chosen_bound, parameters_of
from meshset.progress import tell


@dataclass(frozen=True)
class FrozenSet:
    """What meshes that join an archive are coded with.

    Attributes:
        system: the codec.
        number: of the shared part in the archive, or None.
        shared: its bytes, empty if there is none.
        decoder: reads payloads that were coded with it.
        entries: the meshes that are stored with it.
        bound: within which each mesh takes whatever is smallest; None where all take the codec of the set.
    """

    system: GrowingCodec
    number: int | None
    shared: bytes
    decoder: MeshDecoder
    entries: tuple[MeshEntry, ...]
    bound: Bound | None

    @property
    def payload_reader(self) -> Reader:
        """What decodes the payloads of meshes that join."""
        return Reader(self.system.id, self.decoder, None if self.number is None else 0)


def frozen_set(path: str | os.PathLike[str], editor: ArchiveEditor, reader: ArchiveReader) -> FrozenSet:
    """Return what meshes that join an archive are coded with; of an empty archive, what it was made with.

    Raises:
        ArchiveError: the archive holds nothing to add to, or its shared part is damaged.
        MeshsetError: its codec cannot add to a set.
    """
    with naming(os.fspath(path)):
        system, number = _most_used(editor)
    if not isinstance(system, GrowingCodec):
        raise MeshsetError(f"sets of codec {system.name} cannot take more meshes; compress all of them again")
    shared = b"" if number is None else reader.read_shared(number)
    with naming(os.fspath(path)):
        decoder = system.open(shared)
    entries = editor.entries.values()
    own = tuple(entry for entry in entries if (entry.codec_id, entry.shared) == (system.id, number))
    return FrozenSet(system, number, shared, decoder, own, _chosen_bound(editor))


def _most_used(editor: ArchiveEditor) -> tuple[SetCodec, int | None]:
    """Return codec and number of the shared part that most meshes use.

    Meshes that are coded by themselves because they missed a bound count only where there is nothing else.
    """
    entries = editor.entries.values()
    used = Counter((entry.codec_id, entry.shared) for entry in entries if entry.rung != "alone")
    learned = [k for k, part in enumerate(editor.shared) if part.codec_id != MeshGroupCodec.id]
    if not used and learned:
        return codec_by_id(editor.shared[learned[0]].codec_id), learned[0]
    if not used and (bound := _chosen_bound(editor)) is not None:
        return ControlMeshCodec(bound.mean), None
    used = used or Counter((entry.codec_id, entry.shared) for entry in entries)
    if used:
        (codec_id, number), _ = used.most_common(1)[0]
        return _with_its_parameters(codec_by_id(codec_id), editor), number
    name = editor.settings.get("codec")
    if isinstance(name, str):
        return _with_its_parameters(codec_by_name(name), editor), None
    raise ArchiveError("holds no mesh and no shared part, so there is nothing to add to")


def _chosen_bound(editor: ArchiveEditor) -> Bound | None:
    """Return the bound of an archive whose meshes each take whatever is smallest. Raises ArchiveError for none."""
    chosen = chosen_bound(editor.settings)
    try:
        return None if chosen is None else Bound.checked(*chosen)
    except MeshsetError as error:
        raise ArchiveError(f"states an invalid bound: {error}") from None


def _with_its_parameters(system: SetCodec, editor: ArchiveEditor) -> SetCodec:
    """Return the codec with the parameters that the archive was made with."""
    if not isinstance(system, ParametrisedCodec):
        return system
    known = parameters_of(editor.settings, system.name)
    if len(known) > 1:
        tell(f"merged from archives with other parameters of {system.name}: those of the first are used")
    return system.with_parameters(known[0]) if known else system
