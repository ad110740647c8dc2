"""Regular geometry representation: fields near surfaces, and surfaces from fields (NeCGS section 3.1)."""

from meshset.field.band import TRUNCATION, Field
from meshset.field.marching_cubes import extract_surface
from meshset.field.tsdf import compute_field

__all__ = ["TRUNCATION", "Field", "compute_field", "extract_surface"]
