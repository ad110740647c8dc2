"""Codecs with one network for the set and one latent for each mesh, evaluated point by point; docs/latent_sdf.md."""
