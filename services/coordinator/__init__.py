"""The coordinator: decomposes, plans, fans out, votes and merges."""
