"""Inverse surprising popularity, and surprising popularity to compare it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quorate.voting.election import Count, Election
from quorate.voting.knowledge import PRIOR_ITEMS, Pair, Together, pair_of
from quorate.voting.rules.accuracy import accuracy_of, options_of

if TYPE_CHECKING:
    from quorate.voting.knowledge import Knowledge


def inverse_surprising(election: Election) -> Count:
    """Score answers by votes(s) − Σ_i S(s, i): more popular than the other answers foretell.

    S(s,i) = 1/(N−1) Σ_{j≠i} 1/(K−1) Σ_{a≠a_j} P(A_i=s | A_j=a), over the N voters that answered.
    The conditionals come from how often models i and j agreed before, q, Beta-shrunk: q for s = a,
    (1−q)/(K−1) for every other answer. Source: arXiv 2510.01499.
    """
    return _surprise(election, lambda q, k: ((1 - q) / (k - 1), (q + (k - 2) * (1 - q) / (k - 1))))


def surprising(election: Election) -> Count:
    """Score answers by votes(s) − Σ_i 1/(N−1) Σ_{j≠i} P(A_i=s | A_j=a_j).

    An answer wins that is more popular than the answers themselves foretell. Source: Prelec, Seung
    & McCoy (2017), with the conditionals of arXiv 2510.01499 in place of asked predictions.
    """
    return _surprise(election, lambda q, k: (q, (1 - q)))


def _surprise(election: Election, foretold: Callable[[float, int], tuple[float, float]]) -> Count:
    """Subtract from each answer's votes what each voter foretells of every other voter.

    `foretold` gives, for an agreement q and K options, how much a voter expects of another for its
    own answer, and for all K − 1 other answers together.
    """
    options = options_of(election)
    spoke = [
        vote for vote in zip(election.labels, election.models, strict=True) if vote[0] is not None
    ]
    agreements = Agreements(election.knowledge, options)
    scores = [float(len(group.votes)) for group in election.groups]
    everywhere = 0.0
    for j, (own, teller) in enumerate(spoke):
        for i, (_, model) in enumerate(spoke):
            if i != j and own is not None:
                same, different = foretold(agreements.between(model, teller), options)
                elsewhere = different / (options - 1) / (len(spoke) - 1)
                everywhere += elsewhere
                scores[own] -= same / (len(spoke) - 1) - elsewhere
    return Count([score - everywhere for score in scores], notes=agreements.notes())


class Agreements:
    """How often pairs of models give the same answer, each shrunk to what is known without it."""

    def __init__(self, knowledge: Knowledge, options: int) -> None:
        self._knowledge = knowledge
        self._options = options
        self._known: dict[Pair, float] = {}
        self._unseen: set[Pair] = set()

    def between(self, one: str, other: str) -> float:
        """Give q = P(both answer the same) as the mean of a Beta posterior.

        The prior is worth ten items of models that err independently with the accuracies that they
        have: x_i·x_j + (1−x_i)(1−x_j)/(K−1).
        """
        pair = pair_of(one, other)
        if pair not in self._known:
            self._known[pair] = self._estimate(pair)
        return self._known[pair]

    def notes(self) -> list[str]:
        """Say how many pairs have no history together."""
        if not self._unseen:
            return []
        if len(self._unseen) == len(self._known):
            return ["no two voters have a history together; their accuracies stand for it"]
        some = f"{len(self._unseen)} of {len(self._known)} pairs of voters"
        return [f"{some} have no history together; their accuracies stand for it"]

    def _estimate(self, pair: Pair) -> float:
        first, second = (accuracy_of(model, self._knowledge) for model in pair)
        prior = first * second + (1 - first) * (1 - second) / (self._options - 1)
        seen = self._knowledge.together.get(pair, Together())
        total = seen.same + seen.different
        if total <= 0.0:
            self._unseen.add(pair)
        return (seen.same + PRIOR_ITEMS * prior) / (total + PRIOR_ITEMS)
