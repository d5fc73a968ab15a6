"""Tells a refusal from an answer."""

from __future__ import annotations

import re

LONGEST_OPENING = 200

_OPENING = re.compile(
    r"(?:(?:i'?m|i am|we're|we are) (?:very |so |really |truly )?"
    r"(?:sorry|afraid|not sure|not able|unable|uncertain)"
    r"|i (?:really )?(?:can't|cannot|can not|couldn't|could not|won't|will not)"
    r" (?:help|assist|answer|determine|tell|say|provide|do|comply|give|find|see|access|discuss)"
    r"|(?:i|we) (?:really )?(?:don't|do not)"
    r" (?:know|have (?:enough|access|any information|information))"
    r"|(?:i |we )?have no idea|sorry\b|apologies\b|my apologies\b|i apologi[sz]e\b"
    r"|as an? (?:ai|language model|large language)\b|unfortunately,? (?:i|we|there is not)\b"
    r"|(?:there is )?not enough information\b|insufficient information\b"
    r"|(?:it|this|that|the answer) (?:cannot|can't|can not) be (?:determined|answered|known)"
    r"|cannot (?:be )?(?:determined?|answer)|unable to\b|no answer\b|no idea\b)",
)
_WHOLE = frozenset(
    [
        "unknown",
        "n/a",
        "not sure",
        "unsure",
        "idk",
        "none given",
        "not available",
        "undetermined",
        "undefined",
        "?",
        "-",
        "…",
        "...",
        "null",
        "i pass",
        "pass",
        "not known",
        "unclear",
        "not specified",
        "not given",
        "no comment",
    ]
)


def refuses(text: str) -> bool:
    """Whether a text says nothing, or declines to answer at its beginning."""
    plain = " ".join(text[:LONGEST_OPENING].replace("’", "'").lower().split()).strip("*_\"' ")
    first_sentence = re.split(r"[.!](?:\s|$)", plain, maxsplit=1)[0]
    return not plain or first_sentence in _WHOLE or plain in _WHOLE or bool(_OPENING.match(plain))
