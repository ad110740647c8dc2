"""An archive against the meshes that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshset.archive.names import ByName
from meshset.errors import MeshsetError
from meshset.evaluation import Metrics, compare, mean_metrics
from meshset.geometry import Placement
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.collect import MeshSources, Source, collect, no_mesh
from meshset.pipeline.steps.failures import MISSING, Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import Listening, advance, reporting, stage
from meshset.remote import ArchiveLike
from meshset.text import figure, table


@dataclass(frozen=True, repr=False)
class EvaluateResult:
    """What `evaluate` measured, in the cube [-1, 1]^3.

    Attributes:
        metrics: figures of every mesh by name, in stored order.
        mean: their mean.
        failures: meshes and files without counterpart, and those that cannot be read.
    """

    metrics: dict[str, Metrics]
    mean: Metrics
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        header = ["name", "CD", "NC", "F1 0.005", "F1 0.01", "mean error", "max error"]
        rows = [
            [
                name,
                figure(one.cd),
                f"{one.nc:.4f}",
                f"{one.f1_005:.4f}",
                f"{one.f1_01:.4f}",
                figure(one.mean_distance),
                figure(one.max_distance),
            ]
            for name, one in [*self.metrics.items(), ("mean", self.mean)]
        ]
        return table(header, rows, [False] + [True] * 6)

    __repr__ = __str__


@reporting
def evaluate(
    archive: ArchiveLike,
    sources: MeshSources,
    *,
    progress: Listening = None,
) -> EvaluateResult:
    """Measure every mesh of an archive against the file of the same name, with the paper's metrics.

    Args:
        archive: path or URL of the archive, or a binary file that can seek.
        sources: as those of `meshset.compress`.
        progress: as that of `meshset.compress`.

    Raises:
        ArchiveError: the archive cannot be read.
        NoMeshError: no mesh of the archive could be measured.
        MissingExtraError: the 'compress' extra is not installed.

    >>> evaluate("models.mset", ["models/"]).mean.mean_distance < 0.001
    True
    """
    require_modules("evaluation", "compress", ("igl", "scipy"))
    log = FailureLog()
    with Archive(archive) as opened:
        file = opened.reader.label
        found = ByName({source.name: source for source in collect(sources, log).sources})
        pairs = _pair(opened, found, log)
        stage("evaluate", len(pairs))
        metrics = {}
        for name, source in pairs:
            try:
                metrics[name] = _measure(opened, source)
            except MeshsetError as error:
                log.add(Failure.of(name, error, file))
            advance()
    if not metrics:
        raise NoMeshError(f"{file}: no mesh could be compared with its source", log.failures)
    return EvaluateResult(metrics, mean_metrics(list(metrics.values())), log.failures)


def _pair(archive: Archive, found: Mapping[str, Source], log: FailureLog) -> list[tuple[str, Source]]:
    """Return the meshes in the archive with their sources, in stored order; `log` gets what has no counterpart."""
    for name in archive:
        if name not in found:
            log.add(Failure(name, MISSING))
    for name, source in found.items():
        if name not in archive:
            log.add(Failure(str(source.path), no_mesh(source)))
    return [(name, found[name]) for name in archive if name in found]


def _measure(archive: Archive, source: Source) -> Metrics:
    original = source.read().mesh
    placement = Placement.of(original)
    # Through world units, so that a wrong place or size in the archive shows up as error.
    return compare(placement.normalise(original), placement.normalise(archive[source.name]))
