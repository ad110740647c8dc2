"""Codec control-mesh: few vertices, fitted to the original, that make a smooth or a flat surface."""
