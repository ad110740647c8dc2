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
from meshset.evaluation.parts import Parts, lost_parts
from meshset.evaluation.reconstruction import (
    CloudDistances,
    DistanceStatistics,
    cloud_distances,
    distance_statistics,
    vertex_distances,
)

__all__ = [
    "CloudDistances",
    "CurveError",
    "DistanceStatistics",
    "Metrics",
    "Parts",
    "Point",
    "RateDifference",
    "cloud_distances",
    "compare",
    "distance_statistics",
    "importance_error",
    "lost_parts",
    "lower_envelope",
    "mean_metrics",
    "rate_difference",
    "sampling_floor",
    "signed_distance",
    "surface_distance",
    "surface_error",
    "vertex_distances",
    "volume_iou",
]
