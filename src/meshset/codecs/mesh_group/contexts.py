"""Where each kind of decision about a member has its probabilities, and where these begin."""

from __future__ import annotations

from meshset.coding.adaptive import Contexts
from meshset.coding.numbers import MANTISSA, NUMBER, PREFIX

PARTS = 3
CLASSES = 20
"""Classes of how large a residual is expected to be, in half powers of two."""

WEIGHTS = (
    (10, 8, 8, -157, 10, 12, 0, 0, 235),
    (6, 8, 9, -154, 8, 14, 10, 0, 214),
    (8, 5, 4, -121, 12, 7, 9, 12, 168),
)
"""What the features of `members.Deviations` add to the class of each part, in parts of `WEIGHT_UNIT`."""

WEIGHT_UNIT = 16

SIGNS = 9
"""Seven of the part along the normal, by its neighbours; one for each of the others."""


STEP = 0
REFERENCES = STEP + NUMBER
WEIGHT = REFERENCES + NUMBER
LENGTH = WEIGHT + NUMBER
REST = LENGTH + PARTS * CLASSES * PREFIX
SIGN = REST + PARTS * PREFIX * MANTISSA
COUNT = SIGN + SIGNS

_LARGER = (
    2348, 3272, 4534, 6233, 8481, 11384, 15019, 19398, 24437, 29936, 35600, 41099,
    46138, 50517, 54152, 57055, 59303, 61002, 62264, 63188,
)  # fmt: skip
"""Of each class how likely a size other than 0 is at first, in parts of 2^16."""

_SURE = 6
"""What a probability has seen at first of these."""


def member_contexts() -> Contexts:
    """Return what a member begins with: sizes as in a geometric distribution, all else even."""
    contexts = Contexts.blank(COUNT)
    for part in range(PARTS):
        for kind, larger in enumerate(_LARGER):
            first = LENGTH + (part * CLASSES + kind) * PREFIX
            for place in range(PREFIX):
                contexts.one[first + place] = max(larger, 1)
                contexts.seen[first + place] = _SURE
                larger = larger * larger >> 16
    return contexts
