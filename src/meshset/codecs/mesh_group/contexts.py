"""Where each kind of decision about a member has its probabilities, and where these begin."""

from __future__ import annotations

from meshset.coding.adaptive import Contexts
from meshset.coding.numbers import MANTISSA, NUMBER, PREFIX

PARTS = 3
CLASSES = 16
"""Classes of how large a residual is expected to be, in quarter powers of two."""

WEIGHTS = (
    (16, 4, 4, -16, 6, 10, 0, 0, 0),
    (4, 16, 6, -16, 6, 10, 8, 0, 0),
    (4, 6, 16, -16, 6, 10, 4, 8, 0),
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
    6661, 17736, 26474, 33450, 39070, 43633, 47359, 50418, 52939, 55024, 56752, 58189, 59385, 60383, 61216, 61913,
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
