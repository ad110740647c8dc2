"""How far decoded meshes are from their originals, and what that costs in bytes."""

from meshset.evaluation.curves import CurveError, Point, RateDifference, lower_envelope, rate_difference
from meshset.evaluation.distances import importance_error, signed_distance, surface_error
from meshset.evaluation.metrics import (
    Metrics,
    compare,
    mean_metrics,
    sampling_floor,
    surface_distance,
    volume_iou,
)

__all__ = [
    "CurveError",
    "Metrics",
    "Point",
    "RateDifference",
    "compare",
    "importance_error",
    "lower_envelope",
    "mean_metrics",
    "rate_difference",
    "sampling_floor",
    "signed_distance",
    "surface_distance",
    "surface_error",
    "volume_iou",
]
