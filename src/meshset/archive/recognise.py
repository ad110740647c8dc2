"""Whether a file is one of ours, from its first and last bytes: damaged archives count, other files never do."""

from __future__ import annotations

import os
from pathlib import Path

from meshset.archive.layout import END_MAGIC, MAGIC
from meshset.archive.v1_0 import trailer as v1_0

_BEGIN = MAGIC[:5]
"""What is left of the magic where line ends were changed on the way."""
_ENDS = (END_MAGIC, v1_0.END_MAGIC)


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins or ends as archives do; False where it cannot be read or is no plain file."""
    path = Path(path)
    try:
        # Opening a pipe would wait for its writer.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            begin = file.read(len(_BEGIN))
            file.seek(max(0, path.stat().st_size - len(END_MAGIC)))
            return begin == _BEGIN or file.read() in _ENDS
    except OSError:
        return False
