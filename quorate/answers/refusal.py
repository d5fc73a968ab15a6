"""Tells a refusal from an answer."""

from __future__ import annotations

import re

LONGEST_OPENING = 240

_CANNOT = r"(?:can't|cannot|can not|couldn't|could not|won't|will not|am unable to|'m unable to)"
_DO = (
    r"(?:help|assist|answer|determine|tell|say|provide|do|comply|give|find|see|access|discuss|share"
    r"|verify|confirm|respond|solve|calculate|compute|fulfil|fulfill|complete|process|identify"
    r"|recall|be sure|be certain|know)"
)
_OPENING = re.compile(
    r"(?:(?:but|well|hmm|um|uh|ok|okay|no|hello|hi|a)[,.:]? )?"
    r"(?:(?:that's|that is|what) an? (?:good|great|hard|difficult|interesting) question[,.!]? )?"
    r"(?:but )?"
    r"(?:(?:i'?m|i am|we're|we are) (?:very |so |really |truly |honestly |just )?"
    r"(?:sorry|afraid|not (?:sure|able|certain|comfortable|allowed|familiar|aware)|unable|uncertain"
    r"|unsure|unaware|an? (?:ai|language model|large language|virtual assistant))"
    rf"|(?:we|one|you) {_CANNOT} (?:know|determine|say|tell|be sure)\b"
    rf"|i (?:really |simply |just |honestly )?{_CANNOT} (?:really |possibly )?{_DO}"
    r"|i(?:'d| would) (?:rather|prefer) not\b|i (?:must|have to) (?:decline|refuse)\b"
    r"|i (?:refuse|decline|pass|give up)\b|i(?:'ll| will) (?:have to )?pass\b"
    r"|(?:i|we) (?:really |honestly |just |simply )?(?:don't|do not|didn't|did not)"
    r" (?:know|have (?:enough|access|an answer|any"
    r"|information|sufficient|the (?:information|answer|ability))"
    r"|recall|remember|understand|think i can)"
    r"|(?:i |we )?have no (?:idea|clue|answer|information|knowledge|way)"
    r"|i lack (?:the|enough|sufficient)|i (?:would )?need more (?:information|context|details)"
    r"|i would have to guess\b|(?:it|that|this)(?:'s| is) (?:unclear|unknown|not (?:clear|known))\b"
    r"|my (?:training|knowledge)\b|error:|je ne sais pas\b|no (?:lo )?sé\b|ich weiß (?:es )?nicht\b"
    r"|sorry\b|apologies\b|my apologies\b|i apologi[sz]e\b|forgive me\b|(?:i )?regret\b"
    r"|as an? (?:ai|language model|large language|artificial|assistant)\b"
    r"|unfortunately,? (?:i|we|there (?:is not|isn't|is no)|it)\b"
    r"|(?:there (?:is|'s) |there isn't |there is )?(?:not )?enough (?:information|data|context)\b"
    r"|there(?:'s| is) (?:no (?:answer|way to (?:know|tell|determine))|insufficient)"
    r"|(?:insufficient|not sufficient|no) (?:information|data|context)\b"
    r"|more (?:information|context|data) (?:is|would be) (?:needed|required)"
    r"|(?:it|this|that|the (?:answer|question|problem))"
    r" (?:cannot|can't|can not|could not) be (?:determined|answered|known|solved|calculated)"
    r"|(?:it|this|that)(?:'s| is) (?:impossible|not possible|hard|difficult) to"
    r" (?:say|tell|know|determine|answer)\b"
    r"|the (?:information|answer|question|text|passage|context) (?:is|does|was)(?: not|n't)"
    r" (?:given|provided|known|available|stated|mentioned|specified|clear|say|mention|specify)"
    r"|(?:it|this|that|the answer) (?:is|isn't|is not|was not) (?:unknown|known|not known)"
    rf"|{_CANNOT} (?:be )?(?:determined?|answer|say|tell|help)|impossible to (?:say|tell|know)\b"
    r"|unable to\b|no answer\b|no idea\b|not (?:enough|sure|certain|available"
    r"|given|provided|known|stated|mentioned|specified)\b"
    r"|who knows\b|beats me\b|your guess is\b|no comment\b|i'm just an? )",
)
_WHOLE = frozenset(
    [
        "unknown",
        "n/a",
        "na/",
        "unsure",
        "idk",
        "dunno",
        "i dunno",
        "none given",
        "not available",
        "undetermined",
        "indeterminate",
        "?",
        "-",
        "…",
        "...",
        "null",
        "nil",
        "nan",
        "pass",
        "skip",
        "not known",
        "unclear",
        "not specified",
        "not given",
        "not provided",
        "not applicable",
        "not stated",
        "not mentioned",
        "unanswerable",
        "cannot determine",
        "error",
        "no response",
        "empty",
        "tbd",
        "unspecified",
        "refused",
        "abstain",
        "i abstain",
        "no clue",
    ]
)


def refuses(text: str) -> bool:
    """Whether a text says nothing, or declines to answer at its beginning."""
    plain = " ".join(text[:LONGEST_OPENING].replace("’", "'").lower().split()).strip("*_\"'()[]<> ")
    first_sentence = re.split(r"[.!](?:\s|$)", plain, maxsplit=1)[0]
    whole = plain in _WHOLE or (first_sentence in _WHOLE and len(first_sentence) > 3)
    return not plain or whole or bool(_OPENING.match(plain))
