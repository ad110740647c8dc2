"""meshset."""
