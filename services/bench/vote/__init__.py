"""The bench of votes: ballots are recorded once, every strategy is replayed on the same ones."""
