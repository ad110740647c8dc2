"""Every compression system behind one protocol, found by number or by name.

The table is all that is imported here, so that listing an archive loads no codec; a codec's own module is
imported when it is asked for. To add a codec, write a `SetCodec` (see `meshset.codecs.protocol`), enter it here with
the next free number, and write that number into docs/SPEC.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from meshset.errors import ArchiveError, MeshsetError

if TYPE_CHECKING:
    from meshset.codecs.protocol import SetCodec

__all__ = ["codec_by_id", "codec_by_name", "codec_label", "codec_names", "register_codec"]


class _Registration(NamedTuple):
    codec_id: int
    load: Callable[[], SetCodec]


def _necgs() -> SetCodec:
    from meshset.codecs.necgs.codec import NecgsCodec

    return NecgsCodec()


def _draco() -> SetCodec:
    from meshset.codecs.peers.draco import DracoCodec

    return DracoCodec()


def _ply_zstd() -> SetCodec:
    from meshset.codecs.peers.ply import PlyZstdCodec

    return PlyZstdCodec()


def _necgs_paper() -> SetCodec:
    from meshset.codecs.necgs_paper.codec import NecgsPaperCodec

    return NecgsPaperCodec()


def _ni() -> SetCodec:
    from meshset.codecs.implicit.codec import NiCodec

    return NiCodec()


def _siren() -> SetCodec:
    from meshset.codecs.implicit.codec import SirenCodec

    return SirenCodec()


def _ffn() -> SetCodec:
    from meshset.codecs.implicit.codec import FfnCodec

    return FfnCodec()


def _deepsdf_mesh() -> SetCodec:
    from meshset.codecs.implicit.codec import DeepSdfMeshCodec

    return DeepSdfMeshCodec()


def _key_spheres() -> SetCodec:
    from meshset.codecs.implicit.key_spheres import KeySpheresCodec

    return KeySpheresCodec()


def _nglod() -> SetCodec:
    from meshset.codecs.implicit.nglod import NglodCodec

    return NglodCodec()


def _qecd() -> SetCodec:
    from meshset.codecs.peers.qecd import QecdCodec

    return QecdCodec()


def _deepsdf() -> SetCodec:
    from meshset.codecs.latent_sdf.codec import DeepSdfCodec

    return DeepSdfCodec()


def _sdf_8() -> SetCodec:
    from meshset.codecs.latent_sdf.codec import Sdf8Codec

    return Sdf8Codec()


def _sdf_4() -> SetCodec:
    from meshset.codecs.latent_sdf.codec import Sdf4Codec

    return Sdf4Codec()


def _quant_deepsdf() -> SetCodec:
    from meshset.codecs.latent_sdf.codec import QuantDeepSdfCodec

    return QuantDeepSdfCodec()


def _lgcl() -> SetCodec:
    from meshset.codecs.lgcl.codec import LgclCodec

    return LgclCodec()


_REGISTERED = {
    "necgs": _Registration(1, _necgs),
    "draco": _Registration(2, _draco),
    "ply-zstd": _Registration(3, _ply_zstd),
    "necgs-paper": _Registration(4, _necgs_paper),
    "ni": _Registration(5, _ni),
    "siren": _Registration(6, _siren),
    "ffn": _Registration(7, _ffn),
    "deepsdf-mesh": _Registration(8, _deepsdf_mesh),
    "key-spheres": _Registration(9, _key_spheres),
    "nglod": _Registration(10, _nglod),
    "qecd": _Registration(11, _qecd),
    "deepsdf": _Registration(12, _deepsdf),
    "sdf-8": _Registration(13, _sdf_8),
    "sdf-4": _Registration(14, _sdf_4),
    "quant-deepsdf": _Registration(15, _quant_deepsdf),
    "lgcl": _Registration(16, _lgcl),
}


def register_codec(codec_id: int, name: str, load: Callable[[], SetCodec]) -> None:
    """Make one more codec known to this process; `load` is called whenever the codec is asked for.

    Raises:
        ValueError: the number or the name is taken.
    """
    if name in _REGISTERED or any(entry.codec_id == codec_id for entry in _REGISTERED.values()):
        raise ValueError(f"codec {codec_id} or {name!r} is registered already")
    _REGISTERED[name] = _Registration(codec_id, load)


def codec_names() -> tuple[str, ...]:
    """Return the names of all codecs, the default first."""
    return tuple(_REGISTERED)


def codec_by_name(name: str) -> SetCodec:
    """Return a codec for compression. Raises MeshsetError for an unknown name."""
    if name not in _REGISTERED:
        raise MeshsetError(f"there is no codec {name!r}, only {', '.join(_REGISTERED)}")
    return _REGISTERED[name].load()


def codec_by_id(codec_id: int) -> SetCodec:
    """Return the codec for a number in an archive. Raises ArchiveError for an unknown number."""
    for entry in _REGISTERED.values():
        if entry.codec_id == codec_id:
            return entry.load()
    raise ArchiveError(f"was made with codec {codec_id}, which this version of meshset does not know")


def codec_label(codec_id: int) -> str:
    """Return the name of a codec without loading it, or its number where it is unknown."""
    return next((name for name, entry in _REGISTERED.items() if entry.codec_id == codec_id), str(codec_id))
