"""What text formats have in common: the marks that editors and exporters put before the first letter."""

from __future__ import annotations

import re
from codecs import BOM_UTF8

from meshset.geometry._soup import MalformedError

_MARKS = re.compile(b"(?:" + BOM_UTF8 + b")+")
_WIDE = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|[\t-~]\0[\t-~]\0|\0[\t-~]\0[\t-~]")


def unmarked(data: bytes) -> bytes:
    """Return `data` without the byte order marks of UTF-8 that it begins with.

    Raises:
        MalformedError: if it begins like UTF-16 or UTF-32, with or without a mark.
    """
    if _WIDE.match(data):
        raise MalformedError("UTF-16 or UTF-32 text, which meshset does not read; save it as UTF-8")
    marks = _MARKS.match(data)
    return data[marks.end() :] if marks else data
