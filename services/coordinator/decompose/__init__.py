"""From one question to its parts."""
