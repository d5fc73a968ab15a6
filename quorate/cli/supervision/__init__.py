"""Runs a local mesh: certificates, processes, readiness, and an end that leaves nothing behind."""
