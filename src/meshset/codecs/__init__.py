"""Every compression system behind one protocol, found by number or by name.

Nothing but the table of names and numbers is imported here, so that listing an archive loads no codec; a codec's class
is imported when it is asked for. How to add a codec, here or in a package of your own: docs/adding-a-codec.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from meshset.codecs.table import CODECS, FIRST_OF_OTHERS, GROUP, LAST_OF_OTHERS
from meshset.errors import ArchiveError, MeshsetError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from meshset.codecs.protocol import SetCodec

__all__ = ["codec_by_id", "codec_by_name", "codec_label", "codec_names", "register_codec"]

_registered: dict[str, tuple[int, Callable[[], SetCodec]]] = {}


def register_codec(codec_id: int, name: str, make: Callable[[], SetCodec]) -> None:
    """Make one more codec known to this process, without a package around it.

    Args:
        codec_id: a number that codecs of other packages may take.
        name: of the codec.
        make: called whenever the codec is asked for.

    Raises:
        ValueError: the number or the name is taken, or the number is not one of those.
    """
    if not FIRST_OF_OTHERS <= codec_id <= LAST_OF_OTHERS:
        raise ValueError(f"codec {name!r} must have a number from {FIRST_OF_OTHERS} to {LAST_OF_OTHERS}")
    if name in CODECS or name in _registered or codec_id in (number for number, _ in _registered.values()):
        raise ValueError(f"codec {codec_id} or {name!r} is registered already")
    _registered[name] = codec_id, make


def codec_names() -> tuple[str, ...]:
    """Return the names of all codecs, those of other packages last."""
    return tuple(dict.fromkeys([*CODECS, *_registered, *(point.name for point in _entry_points())]))


def codec_by_name(name: str) -> SetCodec:
    """Return a codec for compression. Raises MeshsetError for an unknown name, or one that cannot be loaded.

    >>> codec_by_name("draco").id
    2
    """
    if name in CODECS:
        return _own(name)
    if name in _registered:
        return _registered[name][1]()
    for point in _entry_points():
        if point.name == name:
            return _of_others(point)
    raise MeshsetError(f"there is no codec {name!r}, only {', '.join(codec_names())}")


def codec_by_id(codec_id: int, named: str = "") -> SetCodec:
    """Return the codec for a number in an archive.

    Args:
        codec_id: the number.
        named: what the archive calls a codec that is not known here, for the message.

    Raises:
        ArchiveError: there is no codec of that number here.
    """
    for name, (number, _) in CODECS.items():
        if number == codec_id:
            return _own(name)
    for number, make in _registered.values():
        if number == codec_id:
            return make()
    reasons = []
    for point in _entry_points() if codec_id >= FIRST_OF_OTHERS else ():
        try:
            codec = _of_others(point)
        except MeshsetError as error:
            reasons.append(str(error))
        else:
            if codec.id == codec_id:
                return codec
    called = f" ({named!r})" if named else ""
    where = "no installed package provides" if codec_id >= FIRST_OF_OTHERS else "this version of meshset does not know"
    raise ArchiveError("; ".join([f"was made with codec {codec_id}{called}, which {where}", *reasons]))


def codec_label(codec_id: int) -> str:
    """Return the name of a codec without loading one of ours, or its number where it is unknown.

    >>> codec_label(1), codec_label(999)
    ('necgs', '999')
    """
    known = {number: name for name, (number, _) in (*CODECS.items(), *_registered.items())}
    if codec_id in known:
        return known[codec_id]
    try:
        return codec_by_id(codec_id).name
    except MeshsetError:
        return str(codec_id)


def _own(name: str) -> SetCodec:
    module, _, attribute = CODECS[name][1].partition(":")
    codec: SetCodec = getattr(import_module(module), attribute)()
    return codec


def _of_others(point: EntryPoint) -> SetCodec:
    """Load the codec of another package. Raises MeshsetError, in one line that names the package, if it is unfit."""
    package = point.dist.name if point.dist else "an unknown package"
    whose = f"codec {point.name!r} of {package} ({point.value})"
    try:
        codec: SetCodec = point.load()()
    except Exception as error:
        # Whatever goes wrong in code that is not ours must name its package, and must not keep others from being read.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise MeshsetError(f"{whose} cannot be loaded ({reason})") from error
    if codec.name != point.name:
        raise MeshsetError(f"{whose} calls itself {codec.name!r}")
    if not FIRST_OF_OTHERS <= codec.id <= LAST_OF_OTHERS:
        raise MeshsetError(f"{whose} has number {codec.id}, which is not from {FIRST_OF_OTHERS} to {LAST_OF_OTHERS}")
    return codec


def _entry_points() -> Iterator[EntryPoint]:
    """Yield the codecs of other packages, those without names of ours."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if point.name not in CODECS:
            yield point
