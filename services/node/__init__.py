"""A node: one machine's models, each in a child process, served over gRPC."""
