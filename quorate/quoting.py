"""What a model is shown of others' words: bounded, and harmless. Pure.

A text is quoted, never spoken: whatever it contains, it stays inside its own numbered entry, it
opens no other entry, and no chat template takes it for the words of a user or of the system.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST_QUOTE = 2_000
"""Characters of one quoted answer."""
LONGEST_QUOTES = 12_000
"""Characters of all quoted answers of one prompt together: small models have small contexts."""
SHORTEST_QUOTE = 64
INDENT = "\n    "
GAP = " … "

_TEMPLATE_MARK = re.compile(
    r"<(?=[|｜])|(?<=[|｜])>|<(?=/?(?:s|bos|eos|start_of_turn|end_of_turn)>)|<(?=<SYS>|</SYS>)"
    r"|\[(?=/?INST\])"
)


def quoted(text: str, longest: int = LONGEST_QUOTE) -> str:
    """Quote an answer in at most `longest` characters (plus indents); no line of it starts a line.

    The end is kept as well as the beginning, because answers stand at the end.
    """
    visible = "".join(mark for mark in text.strip() if not _hidden(mark))
    if len(visible) > longest:
        half = (longest - len(GAP)) // 2
        visible = f"{visible[:half]}{GAP}{visible[-half:]}"
    harmless = _TEMPLATE_MARK.sub(lambda mark: f" {mark[0]} ", visible)
    return INDENT.join(line.rstrip() for line in harmless.splitlines() if line.strip())


def _hidden(mark: str) -> bool:
    """Whether a character has no place in a quote: controls, and marks that turn text around."""
    return unicodedata.category(mark) in {"Cc", "Cf", "Cs"} and mark not in "\n\r\t\v\f\x85"


def quotes(texts: Sequence[str]) -> list[str]:
    """Quote several answers within one bound; all get the same room."""
    room = LONGEST_QUOTES // max(1, len(texts))
    return [quoted(text, max(SHORTEST_QUOTE, min(LONGEST_QUOTE, room))) for text in texts]
