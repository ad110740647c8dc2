"""What is wrong with mesh files, and what becomes of them, without compressing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from meshset.codecs.protocol import Settings
from meshset.errors import MeshFileError
from meshset.evaluation import lost_parts
from meshset.field import compute_field, extract_surface
from meshset.geometry import Mesh, Placement
from meshset.geometry.diagnosis import Diagnosis, boundary_edge_count, diagnose
from meshset.pipeline.steps.collect import MeshSources, Source, collect
from meshset.pipeline.steps.draft import loss_notes
from meshset.pipeline.steps.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import Listening, advance, reporting, stage, tell
from meshset.text import counted, printable, table
from meshset.vocabulary import Resolution

Verdict = Literal["clean", "usable", "refused"]


@dataclass(frozen=True)
class FieldReport:
    """The field of one mesh, and the surface that it gives back.

    Attributes:
        notes: what was repaired, guessed or lost on the way, one line each.
        open_edges: boundary edges of the surface; 0 if it is closed.
    """

    notes: tuple[str, ...]
    open_edges: int


@dataclass(frozen=True)
class CheckedMesh:
    """One mesh file that could be read.

    Attributes:
        name: the name that `compress` gives the mesh.
        path: the file.
        verdict: "clean": no defect; "usable": defects, losses or doubts, but it can be compressed; "refused": it
            cannot, at the resolution that was asked for.
        diagnosis: counts of the mesh, as it was after reading.
        reading: what the reader dropped or changed; this alone makes no mesh less clean.
        doubts: what else it dropped, after which the surface may be another than the file means.
        defects: what is wrong with the mesh, after reading.
        field: what the field does about it; None if none was asked for, or the mesh is refused.
        refusal: why `compress` would refuse the mesh, else None.
    """

    name: str
    path: str
    verdict: Verdict
    diagnosis: Diagnosis
    reading: tuple[str, ...]
    doubts: tuple[str, ...]
    defects: tuple[str, ...]
    field: FieldReport | None
    refusal: str | None

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong with the mesh and what becomes of it, in the order in which it came up; none if it is clean."""
        done = self.field.notes if self.field else ()
        return (*self.doubts, *self.defects, *done, *((self.refusal,) if self.refusal else ()))

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell people: what reading changed, in one line, and the findings."""
        reading = (f"read with changes: {'; '.join(self.reading)}",) if self.reading else ()
        return (*reading, *self.findings)


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What `check` found.

    Attributes:
        resolution: K, grid points a side; None where no field was asked for.
        meshes: the files that could be read, in the order in which they were found.
        failures: what `compress` would leave out: files that cannot be used, and meshes that are refused.
    """

    resolution: int | None
    meshes: tuple[CheckedMesh, ...]
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        """Return the verdicts, then one line for each finding, then the totals.

        What reading dropped is one line a mesh, however much it is: it is seldom what the user looks for.
        """
        header = ["name", "faces", "closed", "parts", "verdict"]
        rows = [
            [
                mesh.name,
                str(mesh.diagnosis.faces),
                "yes" if mesh.diagnosis.watertight else "no",
                str(mesh.diagnosis.components),
                mesh.verdict,
            ]
            for mesh in self.meshes
        ]
        notes = [printable(f"{mesh.name}: {note}") for mesh in self.meshes for note in mesh.lines]
        blocks = [table(header, rows, [False, True, False, True, False]), "\n".join(notes), self._totals()]
        return "\n\n".join(filter(None, blocks))

    __repr__ = __str__

    def _totals(self) -> str:
        """Return the one line that sums up, such as "146 meshes: 120 clean, 25 usable, 1 refused"."""
        verdicts = Counter(mesh.verdict for mesh in self.meshes)
        line = f"{counted(len(self.meshes), 'mesh', 'meshes')}: " + ", ".join(
            f"{verdicts[verdict]} {verdict}" for verdict in get_args(Verdict)
        )
        unread = len(self.failures) - verdicts["refused"]
        return f"{line}; files that cannot be used: {unread}" if unread else line


@reporting
def check(sources: MeshSources, resolution: Resolution | None = None, *, progress: Listening = None) -> CheckResult:
    """Diagnose meshes without compressing them.

    Args:
        sources: as those of `meshset.compress`.
        resolution: K, grid points along each side of the cube: the field of each mesh is computed, too, which codec
            necgs and those like it need; it closes what is open. None for what every other codec sees.
        progress: as that of `meshset.compress`.

    Raises:
        NoMeshError: no mesh could be read.
        MeshsetError: there is no such resolution.
        MissingExtraError: the 'compress' extra is not installed.

    >>> [(mesh.name, mesh.verdict) for mesh in check(["models/bunny.ply"]).meshes]
    [('bunny', 'clean')]
    """
    require_modules("checking", "compress", ("scipy",) if resolution is None else ("scipy", "igl"))
    if resolution is not None:
        Settings(resolution)
    log = FailureLog()
    found = collect(sources, log)
    if found.skipped:
        tell(f"files of other kinds skipped: {found.skipped}")
    stage("check meshes", len(found.sources))
    meshes = []
    for source in found.sources:
        try:
            checked = _check(source, resolution)
        except MeshFileError as error:
            log.add(Failure.of(str(source.path), error, source.path))
        else:
            meshes.append(checked)
            if checked.refusal is not None:
                log.add(Failure(checked.path, checked.refusal))
        advance()
    if not meshes:
        reason = "none of the files can be read" if log.failures else "no mesh files were found"
        raise NoMeshError(f"nothing to check: {reason}", log.failures)
    return CheckResult(resolution, tuple(meshes), log.failures)


def _check(source: Source, resolution: int | None) -> CheckedMesh:
    reading = source.read()
    diagnosis = diagnose(reading.mesh)
    defects = diagnosis.defects()
    verdict: Verdict
    field, refusal = None, None
    try:
        mesh = Placement.of(reading.mesh).normalise(reading.mesh)
        field = None if resolution is None else _field_report(mesh, defects, resolution)
    except MeshFileError as error:
        verdict, refusal = "refused", str(error)
    else:
        verdict = "usable" if reading.doubts or (field.notes if field else defects) else "clean"
    return CheckedMesh(
        name=source.name,
        path=str(source.path),
        verdict=verdict,
        diagnosis=diagnosis,
        reading=tuple(note for note in reading.notes if note not in reading.doubts),
        doubts=reading.doubts,
        defects=defects,
        field=field,
        refusal=refusal,
    )


def _field_report(mesh: Mesh, defects: tuple[str, ...], resolution: int) -> FieldReport:
    """Compute the field of a normalised mesh; there is a note on it unless mesh and field are clean.

    Raises MeshFileError if the mesh slips through the grid.
    """
    field, notes = compute_field(mesh, resolution)
    surface = Mesh(*extract_surface(field.coords, field.tsdf, resolution))
    open_edges = boundary_edge_count(surface)
    notes += loss_notes(lost_parts(mesh, surface)) if len(surface.faces) else ()
    if open_edges:
        notes += (f"comes back open, with {open_edges} boundary edges",)
    elif defects or notes:
        notes += ("comes back closed",)
    return FieldReport(notes, open_edges)
