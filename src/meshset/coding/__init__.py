"""From arrays of whole numbers to bytes; knows nothing of meshes."""

from meshset.coding.fields import FieldReader, signed_varint, varint
from meshset.coding.models import MAX_SYMBOLS, Gaussian, Histogram, Laplace, Model, fit, read_model
from meshset.coding.range_coder import decode, encode

__all__ = [
    "MAX_SYMBOLS",
    "FieldReader",
    "Gaussian",
    "Histogram",
    "Laplace",
    "Model",
    "decode",
    "encode",
    "fit",
    "read_model",
    "signed_varint",
    "varint",
]
