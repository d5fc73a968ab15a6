"""Train, export and evaluate the pocket models: small real models that ship in the wheel."""
