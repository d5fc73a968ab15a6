r"""What did a model answer? Extracted, typed, compared. Pure.

extract("7+8=15\nAnswer: 15.0", Kind.NUMBER).text       # "15"
bool(equivalent("The answer is 18.", "18.0"))           # True
infer_kind("How many apples are left?")                 # Kind.NUMBER
"""

from quorate.answers.answer import Answer, Kind
from quorate.answers.clusters import (
    Clustering,
    Clusters,
    Merge,
    cluster,
    judgeable,
    key_of,
    prove_ahead,
)
from quorate.answers.equivalence import Judge, Verdict, equivalent
from quorate.answers.extraction import extract
from quorate.answers.grouping import Grouping
from quorate.answers.question import infer_kind

__all__ = [
    "Answer",
    "Clustering",
    "Clusters",
    "Grouping",
    "Judge",
    "Kind",
    "Merge",
    "Verdict",
    "cluster",
    "equivalent",
    "extract",
    "infer_kind",
    "judgeable",
    "key_of",
    "prove_ahead",
]
