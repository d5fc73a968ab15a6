"""Synthesizer: merges the answers to parts into one, and judges answers against references."""
