"""Codec necgs-paper with one thing changed at a time, for the ablations of NeCGS section 4.3; none of it is a codec."""
