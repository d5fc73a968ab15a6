"""Which models work on which parts, under each machine's memory: the problem and its solvers."""
