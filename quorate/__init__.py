"""Quorate: a gRPC mesh of small local language models that answers by vote."""
