"""The commands that change archives, test and repair them: options in, pipeline called, results printed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshset.cli.options import ArchivePath, ArchiveUrl, AsJson, MaxError, Quiet, Sources, complete_names, told_apart
from meshset.cli.output import finish, guarded, say, say_json
from meshset.progress.bars import showing_progress
from meshset.text import counted, printable, size
from meshset.vocabulary import DeviceChoice

if TYPE_CHECKING:
    from meshset.pipeline.verify import VerifyAllResult

sets = typer.Typer(rich_markup_mode=None)

TrainDevice = Annotated[DeviceChoice, typer.Option(help="Where to fit; auto takes a CUDA GPU if there is one.")]
UNCHANGED = "interrupted, the archive is as it was"


@sets.command(epilog="Example: meshset add models.mset new/ bunny.obj")
def add(
    archive: ArchivePath,
    paths: Sources,
    max_error: MaxError = None,
    update_decoder: Annotated[
        bool, typer.Option("--update-decoder", help="Train the decoder further with the new meshes, if that pays.")
    ] = False,
    device: TrainDevice = "auto",
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add mesh files to an archive, without training it again.

    The decoder of the set stays as it is and only the new meshes are fitted to it, so meshes unlike those of the set
    come out less exact: those that do so clearly are named, and `meshset list` shows how exact each is. All of them
    join the archive at once; readers see the old set until then.

    --update-decoder codes the meshes of the set again, from what they decode to, which costs them a little: never more
    than doubles an error. The decoder is kept as it is unless the new meshes gain clearly, and the result says why.
    """
    options = {"max_error": max_error, "update_decoder": update_decoder, "device": device}
    _grow(archive, paths, json, quiet, replacing=False, **options)


@sets.command(epilog="Example: meshset replace models.mset changed/bunny.obj")
def replace(
    archive: ArchivePath,
    paths: Sources,
    max_error: MaxError = None,
    device: TrainDevice = "auto",
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Replace meshes of an archive by files of their names.

    Without training the archive again.

    All of them are replaced at once; a mesh whose file cannot be used stays. The bytes of the old ones stay in the
    file until `meshset remove --compact`.
    """
    _grow(archive, paths, json, quiet, replacing=True, max_error=max_error, device=device)


@sets.command(epilog="Example: meshset remove models.mset bunny 'animals/*' --compact")
def remove(
    archive: ArchivePath,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...",
            help="Names, patterns, or folders such as animals/ for all that is below.",
            show_default=False,
            autocompletion=complete_names,
        ),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Write the file anew without bytes that nothing uses; needs no NAME.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Take meshes out of an archive.

    Their bytes stay in the file, which even grows by a new index, until it is compacted.
    """
    with guarded(interrupted=UNCHANGED):
        from meshset.pipeline.edit import remove

        with showing_progress():
            result = remove(archive, names or [], compact=compact)
    with guarded():
        if json:
            say_json({**asdict(result), "path": str(result.path)})
        else:
            say(str(result))


@sets.command(epilog="Example: meshset merge animals.mset things.mset -o all.mset")
def merge(
    archives: Annotated[
        list[Path], typer.Argument(metavar="ARCHIVE...", help="The .mset files to merge.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive to make.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing archive; no other file ever is.")] = False,
    json: AsJson = False,
) -> None:
    """Put the meshes of several archives into a new one.

    Nothing is coded again: each mesh keeps its bytes and its error, and decoders that are equal are stored once. Two
    meshes of one name are an error.
    """
    with guarded(interrupted="interrupted, nothing written"):
        from meshset.pipeline.edit import merge

        with showing_progress():
            result = merge(archives, output, force=force)
    with guarded():
        if json:
            say_json({**asdict(result), "path": str(result.path)})
        else:
            say(str(result))


@sets.command(epilog="Example: meshset cache --clear")
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove every entry.")] = False,
    json: AsJson = False,
) -> None:
    """Show where fields are cached.

    A field is what training sees of a mesh. It depends on the mesh, the resolution and the kind of field alone, so a
    second run with another preset finds it here. MESHSET_CACHE names another folder.
    """
    with guarded():
        from meshset.field.cache import FieldCache, cache_folder

        folder = cache_folder()
        fields = FieldCache(folder)
        held = fields.clear() if clear else fields.size()
        if json:
            say_json({"folder": str(folder), "cleared": clear, **asdict(held)})
        else:
            amount = f"{counted(held.entries, 'field', 'fields')}, {size(held.bytes)}"
            say(f"{printable(str(folder))}: {amount}{' removed' if clear else ''}")


@sets.command("test", epilog="Example: meshset test models.mset models/ --deep")
def verify_archive(
    archive: ArchiveUrl,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="More archives, and sources to measure the error against again."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compare each decoded mesh with what the archive states about it.")
    ] = False,
    repair: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Copy every mesh that is whole into this new archive.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check every checksum of an archive, then decode every mesh.

    A PATH that is an archive, or is called *.mset, is tested too. With --deep the counts and the place of each mesh
    must be those that were stored; with sources its error as well, and each source must fit a mesh.
    """
    if repair and (deep or paths):
        raise typer.BadParameter("--repair cannot be combined with --deep or PATH")
    with guarded():
        if repair:
            _salvage(archive, repair, json)
            return
        from meshset.pipeline.verify import verify_all

        others, sources = told_apart(paths or [])
        with showing_progress():
            found = verify_all([archive, *others], sources, deep=deep or bool(sources))
        if json:
            say_json(asdict(found))
        _tell_tested(found, quiet=json)


def _salvage(archive: str, output: Path, json: bool) -> None:
    """Run `meshset test --repair`."""
    from meshset.pipeline.repair import repair

    with showing_progress():
        result = repair(archive, output)
    if json:
        say_json({**asdict(result), "path": str(result.path)})
    else:
        say(str(result))
    finish(result.failures)


def _tell_tested(found: VerifyAllResult, quiet: bool) -> None:
    """Print a line for each archive that is whole unless `quiet`, then all that is wrong, and leave if anything is."""
    several = len(found.archives) + len(found.unreadable) > 1
    failures = []
    for one in found.archives:
        if not one.failures and not quiet:
            say(str(one))
        # Without its archive nobody could tell one "bunny" from another.
        failures += [
            f"{one.archive}: {failure}" if several and failure.subject != one.archive else str(failure)
            for failure in one.failures
        ]
    finish([*map(str, found.unreadable), *failures, *map(str, found.failures)], nothing=not found.archives)


def _grow(archive: Path, paths: list[Path], json: bool, quiet: bool, *, replacing: bool, **options: Any) -> None:
    """Add or replace meshes; `options` are those of `meshset.pipeline.add.add` or `replace`."""
    with guarded(interrupted=UNCHANGED):
        from meshset.pipeline import add as grow
        from meshset.pipeline.summary import row

        run = grow.replace if replacing else grow.add
        with showing_progress(quiet):
            result = run(archive, paths, **options)
    with guarded():
        if json:
            entries = [row(entry) for entry in result.entries]
            say_json({**asdict(result), "path": str(result.path), "entries": entries})
        else:
            say(str(result))
        finish(result.failures)
