"""How fast plans are found, and what becomes of budgets when a relaxation is rounded by argmax."""
