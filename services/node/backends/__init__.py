"""Models that another engine runs, reached over its HTTP API, behind the node's own contract."""
