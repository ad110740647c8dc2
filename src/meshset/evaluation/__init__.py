"""How far a decoded mesh is from its original."""

from meshset.evaluation.metrics import Metrics, compare, mean_metrics, sampling_floor, surface_distance

__all__ = ["Metrics", "compare", "mean_metrics", "sampling_floor", "surface_distance"]
