"""Train, export and evaluate the pocket models: the small real models that ship inside the wheel."""
