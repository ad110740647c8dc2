"""One number that is found by trial: where an error that falls becomes small enough."""

from __future__ import annotations

from dataclasses import dataclass

_MARGIN, _LEAP = 0.15, 1.0
"""The next place is so far from both ends of what is left, and so far beyond one end at most."""

_DOUBT = 3.0
"""How fast an error falls is taken to change by this factor at most from one place to the next."""


@dataclass
class Crossing:
    """Where an error that falls becomes small enough, between a place where it is not and one where it is.

    Attributes:
        fall: how much the logarithm of the error falls from a place to one that is 1 further, about.
        outside, within: the nearest places, each with the logarithm of the error over what it may be.
    """

    fall: float
    outside: tuple[float, float] | None = None
    within: tuple[float, float] | None = None

    def add(self, place: float, excess: float) -> None:
        """Take note of an error, and of how fast it falls from one place to the next on the same side."""
        before = self.outside if excess > 0 else self.within
        if before is not None and place != before[0]:
            seen = (before[1] - excess) / (place - before[0])
            self.fall = min(max(seen, self.fall / _DOUBT), self.fall * _DOUBT)
        if excess > 0:
            self.outside = place, excess
        else:
            self.within = place, excess

    def next(self) -> float:
        """Return the place to try next."""
        if self.outside is not None and self.within is not None:
            share = self.outside[1] / (self.outside[1] - self.within[1])
            return self.outside[0] + min(max(share, _MARGIN), 1.0 - _MARGIN) * (self.within[0] - self.outside[0])
        place, excess = self.outside or self.within or (0.0, 0.0)
        return place + min(max(excess / self.fall, -_LEAP), _LEAP)
