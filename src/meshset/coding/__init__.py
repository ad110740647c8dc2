"""From arrays of whole numbers to bytes; knows nothing of meshes."""

from meshset.coding.models import MAX_SYMBOLS, Gaussian, Histogram, Laplace, Model, fit, read_model
from meshset.coding.parsing import ByteReader, signed_varint, varint
from meshset.coding.range_coder import decode, encode

__all__ = [
    "MAX_SYMBOLS",
    "ByteReader",
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
