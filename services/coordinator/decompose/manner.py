"""Requests that only look like ones of their own: they belong to the answer of another. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.coordinator.decompose import lexicon
from services.coordinator.decompose.clauses import lacks_object
from services.coordinator.decompose.gaps import is_elliptic

if TYPE_CHECKING:
    from services.coordinator.decompose.clauses import Clause

_RESTYLING = lexicon.words("explain make express put say describe")
_ANSWER = lexicon.words("it this that them")
_SUBJECTS = lexicon.words("it he she they this that these those")
_UNASKED = lexicon.VERBS - lexicon.TRANSFORMS
_EXPLAINING = lexicon.words("explain show justify describe give")
_HOW_FAR = lexicon.words("why how so more again please further")
_TOGETHER = lexicon.words("both either neither each respectively")
_WORKING = lexicon.words(
    "step steps workings reasoning answer answers solution choice ranking calculation"
    " calculations method derivation"
)


def is_manner(part: Clause) -> bool:
    """Say whether a request is about how another is answered, or goes on from its words.

    As in "show your work", "put it simply", "explain briefly".
    """
    words = set(part.words)
    if "your" in words or (part.verb in _UNASKED and is_elliptic(part)):
        return True
    if part.verb in _RESTYLING and part.words[1] in _ANSWER:
        return True
    if part.words[0] in lexicon.WH and part.words[1] in _SUBJECTS:
        return True  # "explain what a tide is and why it is high": the second is no question
    said = [word for word in part.words[1:] if word not in ",;:?.!"]
    only_how = all(word in _HOW_FAR or word.endswith("ly") for word in said)
    return part.verb in _EXPLAINING and (only_how or bool(words & _WORKING))


def is_tied(part: Clause) -> bool:
    """Say whether a request that is no step on a result is tied to the words before it.

    As in "how high is Etna? Round to metres", "how do moths and bats fly, and where do both live".
    """
    return lacks_object(part) or bool(_TOGETHER & set(part.words))
