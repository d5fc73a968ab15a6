"""A text while a model writes it. Pure."""

from __future__ import annotations

from quorate.errors import UnusableReply

LONGEST_TEXT = 1 << 18
"""Characters of a merged answer; a model that says more repeats itself."""


class Draft:
    """Collects pieces and gives them on, but never white space that may turn out to be the end.

    So what was given on is, at any moment, the text so far as a reader should see it.
    """

    def __init__(self) -> None:
        self._told: list[str] = []
        self._held = ""
        self._length = 0

    def add(self, piece: str) -> str:
        """Take a piece in; gives what can be shown now."""
        waiting = self._held + piece
        if not self._told:
            waiting = waiting.lstrip()
        shown = waiting.rstrip()
        self._held = waiting[len(shown) :]
        self._length += len(piece)
        if shown:
            self._told.append(shown)
        return shown

    @property
    def text(self) -> str:
        """All that was shown."""
        return "".join(self._told)

    def check_length(self) -> None:
        """Raise UnusableReply when the writer should be stopped."""
        if self._length > LONGEST_TEXT:
            raise UnusableReply(f"it wrote more than {LONGEST_TEXT} characters")
