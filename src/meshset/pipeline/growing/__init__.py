"""Meshes that join a set which is stored already: what they are coded with, and whether its decoder learns them."""
