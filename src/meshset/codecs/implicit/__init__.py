"""Codecs that keep one small signed distance network for each mesh; docs/implicit.md."""
