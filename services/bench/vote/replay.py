"""Every strategy on the same recorded ballots, without asking a model again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from quorate import voting
from quorate.errors import InvalidRequest, NoQuorum
from quorate.voting.correlation import effective_votes
from services.bench.vote.cases import Confidence, as_given

if TYPE_CHECKING:
    from services.bench.suites.suite import Suite
    from services.bench.vote.cases import Case
    from services.bench.vote.learned import Learned


class Answered(NamedTuple):
    """What one way of answering made of one item.

    `right` is 1 or 0, or the probability of being right where chance decides. `confidence` is the
    strategy's own, not calibrated. `effective_votes` is 0 where nobody voted.
    """

    task: str
    right: float
    tokens: int
    seconds: float
    agreement: float = 0.0
    effective_votes: float = 0.0
    confidence: float = 0.0


Answers = Mapping[str, Answered]
"""By item id."""


class Replay:
    """Decides recorded cases. `learned` was learned on other items."""

    def __init__(self, suite: Suite, learned: Learned, confidence: Confidence = as_given) -> None:
        self._suite = suite
        self._learned = learned
        self._confidence = confidence
        self._effective: dict[tuple[str, ...], float] = {}

    def decide(self, strategy: str, case: Case) -> voting.Outcome | None:
        """Give the outcome of a vote; None when nobody answered."""
        try:
            return voting.decide(strategy, case.votes(self._confidence), self._learned.about(case))
        except NoQuorum:
            return None

    def answer(self, strategy: str, case: Case) -> Answered:
        """Decide one case and score it."""
        outcome = self.decide(strategy, case)
        if outcome is None:
            return Answered(case.item.task, 0.0, case.tokens, case.seconds)
        return Answered(
            case.item.task,
            float(self.right(case, outcome)),
            case.tokens,
            case.seconds,
            outcome.agreement,
            self.effective(case),
            outcome.confidence,
        )

    def answers(self, strategy: str, cases: Sequence[Case]) -> Answers:
        """Decide all cases by one strategy."""
        return {case.item.id: self.answer(strategy, case) for case in cases}

    def right(self, case: Case, outcome: voting.Outcome) -> bool:
        """Say whether the winner is right: as the surest ballot behind it, or as the suite scores.

        No ballot is behind an answer that the strategy computed.
        """
        behind = [ballot for ballot in case.ballots if ballot.member in outcome.winner_members]
        if not behind:
            return self._suite.right(case.item, outcome.winner.text)
        return max(behind, key=lambda ballot: ballot.confidence).right

    def effective(self, case: Case) -> float:
        """Give how many independent votes the members that answered are worth."""
        models = tuple(
            ballot.model
            for ballot, answer in zip(case.ballots, case.answers, strict=True)
            if answer is not None
        )
        if models not in self._effective:
            self._effective[models] = effective_votes(models, self._learned.overall)
        return self._effective[models]


def replayable(replay: Replay, sample: Sequence[Case]) -> tuple[list[str], Mapping[str, str]]:
    """Name the strategies that recorded ballots are enough for, and why others are not replayed."""
    able, unable = list[str](), dict[str, str]()
    for name, strategy in voting.STRATEGIES.items():
        if strategy.orchestrated:
            unable[name] = "asks the models again"
            continue
        try:
            for case in sample:
                replay.decide(name, case)
        except InvalidRequest as error:
            unable[name] = error.message
        else:
            able.append(name)
    return able, unable


def single(cases: Sequence[Case], choose: Callable[[Case], str]) -> Answers:
    """Let one model answer each item: the one that `choose` names."""
    made = {}
    for case in cases:
        model = choose(case)
        ballot = next(ballot for ballot in case.ballots if ballot.model == model)
        made[case.item.id] = Answered(
            case.item.task,
            float(ballot.right),
            ballot.tokens,
            ballot.seconds,
            confidence=ballot.confidence,
        )
    return made
