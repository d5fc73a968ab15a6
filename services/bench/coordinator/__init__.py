"""The bench of the coordinator: what it adds to five calls, and what others add to them."""
