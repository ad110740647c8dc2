"""The systems that meshset is compared with. See docs/peers.md."""
