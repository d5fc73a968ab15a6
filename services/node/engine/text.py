"""Text out of token bytes: UTF-8 and stop texts across token borders. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """What one token added: its own text, what may be shown now, whether a stop was met."""

    token_text: str
    shown: str
    stopped: bool


class TextStream:
    """Turns a sample's token bytes into text.

    Bytes of an incomplete character, and text that may be the beginning of a stop text, are held
    back until they are decided. Bytes that can never become UTF-8 turn into U+FFFD.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def push(self, piece: bytes) -> Said:
        """Add a token's bytes."""
        token_text = self._decoder.decode(piece)
        if not self._stops:
            return Said(token_text, token_text, False)
        held = self._held + token_text
        cut = min((at for stop in self._stops if (at := held.find(stop)) >= 0), default=-1)
        if cut >= 0:
            self._held = ""
            return Said(token_text, held[:cut], True)
        keep = self._undecided(held)
        self._held = held[len(held) - keep :]
        return Said(token_text, held[: len(held) - keep], False)

    def finish(self) -> str:
        """Give the text that was held back; bytes of a character cut off by the end are dropped."""
        held, self._held = self._held, ""
        return held

    def _undecided(self, held: str) -> int:
        """How many characters at the end may be the beginning of a stop text."""
        for size in range(min(len(held), max(map(len, self._stops)) - 1), 0, -1):
            ending = held[-size:]
            if any(stop.startswith(ending) for stop in self._stops):
                return size
        return 0
