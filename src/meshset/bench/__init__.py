"""Rate-distortion curves of several systems on several sets, in one run, into one JSON file. See docs/bench.md."""
