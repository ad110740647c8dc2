"""Archives for training loops."""
