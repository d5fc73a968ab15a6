"""The rules that need more than one vote at a time, a module each."""
