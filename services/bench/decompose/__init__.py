"""How well questions are split: by rules, by a model, and by both."""
