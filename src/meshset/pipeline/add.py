"""More meshes for an archive that exists: its decoders stay as they are, only the new meshes are coded."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import ArchiveEditor, ArchiveReader, MeshEntry
from meshset.archive.names import shown
from meshset.codecs.protocol import Settings
from meshset.pipeline.edit import remove
from meshset.pipeline.growing import exactness
from meshset.pipeline.growing.frozen import FrozenSet, frozen_set
from meshset.pipeline.growing.update import Update, objection, update
from meshset.pipeline.steps import ladder
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.choose import each_alone, smaller
from meshset.pipeline.steps.collect import MeshSources, Source, collect
from meshset.pipeline.steps.draft import Draft, Outcome, drafts, kept_drafts, store, tell_losses
from meshset.pipeline.steps.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.prepare import MeshSpool, NormalisedMeshes, PreparedMesh, prepare_meshes
from meshset.pipeline.steps.requirements import require_modules, resolve_device
from meshset.progress import Listening, reporting, stage
from meshset.text import counted, duration, printable, share, size


@dataclass(frozen=True, repr=False)
class GrowResult:
    """What `add` or `replace` did.

    Attributes:
        path: the archive.
        entries: the meshes that were stored.
        failures: files that were not, and why.
        meshes: how many meshes the archive holds now.
        source_bytes: bytes of the stored meshes as OBJ text.
        payload_bytes: bytes of their payloads.
        archive_bytes: bytes of the archive file now.
        seconds: wall-clock time of it all.
        decoder: whether the shared part was trained further and why or why not, None if that was not asked for.
        replaced: whether the meshes took the place of others.
    """

    path: Path
    entries: tuple[MeshEntry, ...]
    failures: tuple[Failure, ...]
    meshes: int
    source_bytes: int
    payload_bytes: int
    archive_bytes: int
    seconds: float
    decoder: str | None = None
    replaced: bool = False

    def __str__(self) -> str:
        known = [entry.mean_error_of_diagonal for entry in self.entries if entry.mean_error_of_diagonal is not None]
        error = f", mean error {share(sum(known) / len(known))} of the diagonal" if known else ""
        decoder = f"\n{printable(self.decoder)}" if self.decoder else ""
        return (
            f"{printable(str(self.path))}: {counted(len(self.entries), 'mesh', 'meshes')} "
            f"{'replaced' if self.replaced else 'added'} in {size(self.payload_bytes)}{error}; {self.meshes} in all, "
            f"{size(self.archive_bytes)}, {duration(self.seconds)}{decoder}"
        )

    __repr__ = __str__


@reporting
def add(
    archive: str | os.PathLike[str],
    sources: MeshSources,
    *,
    max_error: float | None = None,
    update_decoder: bool = False,
    device: str = "auto",
    progress: Listening = None,
) -> GrowResult:
    """Add meshes to an archive.

    They are coded with the codec and the shared part that most meshes of the archive use; the shared part does not
    change. Where each mesh of the archive took whatever was smallest, new ones do so, too, within the same bound. Every
    mesh is decoded from its final bytes and measured; one that is clearly less exact than the set gets a note that says
    so, or climbs the ladder of `meshset.pipeline.steps.ladder` if there is a bound. All of them become part of the
    archive at once; until then readers see the old set, and afterwards too if this is interrupted.

    Args:
        archive: its path.
        sources: as those of `meshset.compress`.
        max_error: bound on the mean symmetric surface distance of each new mesh, as a share of its bounding-box
            diagonal; None for that of an archive whose meshes each took whatever was smallest, else for whatever the
            decoder reaches.
        update_decoder: whether the shared part may be trained further with the new meshes, and the meshes of the set
            coded again from their stored form, if that pays (`meshset.pipeline.growing.update`). The file is compacted
            then.
        device: torch device string, or "auto" for a GPU if there is one.
        progress: as that of `meshset.compress`.

    Raises:
        NoMeshError: no mesh was left to add; the archive is as it was.
        MeshsetError: the bound is not above 0, the archive cannot be read or written, or another process is writing to
            it.
        MissingExtraError: the 'compress' extra is not installed.

    >>> result = add("models.mset", ["new/"], max_error=0.002)
    >>> [entry.name for entry in result.entries], result.meshes
    (['dog'], 4)
    """
    return _grow(archive, sources, False, max_error, update_decoder, device)


@reporting
def replace(
    archive: str | os.PathLike[str],
    sources: MeshSources,
    *,
    max_error: float | None = None,
    device: str = "auto",
    progress: Listening = None,
) -> GrowResult:
    """Put meshes in the place of those of the same names, all at once; arguments and errors as in `add`.

    A mesh whose new form cannot be used stays as it was.

    >>> [entry.name for entry in replace("models.mset", ["models/bunny.ply"]).entries]
    ['bunny']
    """
    return _grow(archive, sources, True, max_error, False, device)


def _grow(
    archive: str | os.PathLike[str],
    sources: MeshSources,
    replacing: bool,
    max_error: float | None,
    update_decoder: bool,
    device: str,
) -> GrowResult:
    started = time.perf_counter()
    require_modules("adding", "compress", ("torch", "igl", "scipy"))
    bound = Bound.checked(max_error, None)
    log = FailureLog()
    with ArchiveEditor(archive) as editor, ArchiveReader(archive) as reader, MeshSpool() as spool:
        fitting = _fitting(collect(sources, log).sources, editor, replacing, log)
        prepared = prepare_meshes(fitting, spool, log)
        _require_some(prepared, log)
        frozen = frozen_set(archive, editor, reader)
        joining = _Joining(frozen, prepared, bound, Settings(device=resolve_device(device)))
        outcomes = joining.settled(joining.first, frozen.shared)
        found, decoder = joining.updated(reader, outcomes) if update_decoder else (None, None)
        kept = kept_drafts(prepared, outcomes if found is None else found.joined, log)
        _require_some(kept, log)
        joining.tell(kept)
        tell_losses(kept)
        number = frozen.number if found is None else found.store(editor, frozen.system.id)
        for one in kept if replacing else ():
            editor.remove(one.entry.name)
        entries = store(editor, kept, {0: number})
        finish(editor, editor.settings)
        meshes = len(editor.entries)
    if found is not None:
        remove(archive, (), compact=True)  # or the old decoder would stay in the file
    return GrowResult(
        path=Path(archive),
        entries=tuple(entries),
        failures=log.failures,
        meshes=meshes,
        source_bytes=sum(entry.source_bytes for entry in entries),
        payload_bytes=sum(entry.length for entry in entries),
        archive_bytes=Path(archive).stat().st_size,
        seconds=time.perf_counter() - started,
        decoder=decoder,
        replaced=replacing,
    )


class _Joining:
    """Meshes on their way into an archive.

    Attributes:
        first: what the frozen shared part makes of each, or its smallest form where there is none; measured.
    """

    def __init__(
        self, frozen: FrozenSet, prepared: Sequence[PreparedMesh], bound: Bound | None, settings: Settings
    ) -> None:
        self._frozen, self._prepared, self._settings = frozen, prepared, settings
        self._bound = frozen.bound if bound is None else bound
        self._worst = exactness.worst_error(frozen.entries)
        self._alone = self._each_alone()
        self.first = self._alone if self._alone and frozen.number is None else self._by_the_set()

    def _by_the_set(self) -> list[Outcome]:
        frozen = self._frozen
        coded = frozen.system.add(NormalisedMeshes(self._prepared), frozen.shared, self._settings)
        stage("decode and measure", len(self._prepared))
        return list(drafts(frozen.payload_reader, self._prepared, coded))

    def _each_alone(self) -> list[Outcome]:
        """Return the smallest form of each mesh by itself, as an archive has them that chose so; else nothing."""
        if self._frozen.bound is None or self._bound is None:
            return []
        return [one.outcome for one in each_alone(self._prepared, self._bound, self._settings)]

    def settled(self, outcomes: Sequence[Outcome], shared: bytes) -> list[Outcome]:
        """Bring meshes within the bound if there is one, else mark those that are clearly less exact than the set."""
        if self._bound is None:
            return exactness.mark_less_exact(outcomes, self._worst)
        if self._alone and self._frozen.number is None:
            return self._alone
        system = self._frozen.system
        climbed = ladder.climb(self._prepared, outcomes, self._bound, system, shared, self._settings, self._alone)
        return [smaller(*pair) for pair in zip(climbed, self._alone, strict=True)] if self._alone else climbed

    def tell(self, kept: Sequence[Draft]) -> None:
        """Tell the user how the meshes that will be stored stand."""
        if self._bound is None:
            exactness.tell_less_exact(kept, self._worst)
        else:
            ladder.tell_rungs(kept, self._bound)

    def updated(self, reader: ArchiveReader, settled: Sequence[Outcome]) -> tuple[Update | None, str]:
        """Return an update of the shared part that pays, and what to tell of it."""
        joining = [(m, one) for m, one in zip(self._prepared, self.first, strict=True) if isinstance(one, Draft)]
        if not joining:
            return None, "decoder kept: it can code none of the new meshes"
        found = update(self._frozen, joining, reader, self._settings)
        if isinstance(found, str):
            return None, f"decoder kept: {found}"
        again = iter(found.joined)
        first = [next(again) if isinstance(outcome, Draft) else outcome for outcome in self.first]
        found = dataclasses.replace(found, joined=tuple(self.settled(first, found.shared)))
        reason = objection(self._frozen, settled, found, bounded=self._bound is not None)
        if reason:
            return None, f"decoder kept: {reason}"
        return found, f"decoder updated: {len(found.changed)} meshes coded again from their stored form"


def _fitting(sources: Sequence[Source], editor: ArchiveEditor, replacing: bool, log: FailureLog) -> list[Source]:
    """Return the sources whose names are in the archive if they shall replace, or else are not; `log` gets the rest."""
    fitting, entries = [], editor.entries
    for source in sources:
        held = entries.get(source.name)
        if (held is not None) == replacing:
            # What replaces a mesh has its name, as it is spelled there.
            fitting.append(source if held is None else dataclasses.replace(source, name=held.name))
        elif replacing:
            log.add(Failure(str(source.path), f"the archive holds no mesh named {shown(source.name)}; add it"))
        else:
            log.add(Failure(str(source.path), f"the archive holds a mesh named {shown(source.name)}; replace it"))
    return fitting


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"the archive is as it was: {reason}", log.failures)
