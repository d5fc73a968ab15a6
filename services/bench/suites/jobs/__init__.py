"""Jobs of several steps: what a step can ask, and the templates that put steps together."""
