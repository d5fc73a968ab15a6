"""Question suites: where the bench's questions and their gold answers come from."""
