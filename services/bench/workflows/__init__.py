"""How right single models, specialists and a vote are on jobs of several steps."""
