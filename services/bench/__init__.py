"""The bench: suites, statistics and load that every benchmark shares."""
