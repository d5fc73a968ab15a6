"""What is known at this moment, for one event loop: topics' knowledge, calibrations, durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from quorate.answers import Kind
from quorate.answers.options import options as options_of
from quorate.voting.correlation import effective_votes
from quorate.voting.knowledge import NOTHING_KNOWN, Kin, Knowledge
from services.coordinator.question import Ballot, Status
from services.coordinator.state import judgement
from services.coordinator.state.latencies import Place
from services.coordinator.state.latency import Latency
from services.coordinator.state.learned import NOTHING_LEARNED, ModelKey, State
from services.coordinator.state.learning import knowledge

if TYPE_CHECKING:
    from services.coordinator.outcome import Decision, Result
    from services.coordinator.question import Member, Question

Value = TypeVar("Value")
MOST_KEPT = 512
"""Knowledge and numbers of votes that are kept, each for one electorate, until more is learned."""
MOST_GONE = 64
"""Nodes that are gone and whose durations are kept, for a node that restarts is soon back."""


class Briefing(NamedTuple):
    """What is known before a part is put to the vote."""

    topic: str = ""
    knowledge: Knowledge = NOTHING_KNOWN


class Insight:
    """Answers at once. One event loop owns it."""

    def __init__(self, *, consensus: bool = False) -> None:
        self.state: State = NOTHING_LEARNED
        self.judges = judgement.Judges()
        self.latencies: dict[Place, Latency] = {}
        self._gone: dict[str, None] = {}  # in the order in which they went
        self._consensus = consensus
        self._known: dict[tuple[object, ...], Knowledge] = {}
        self._votes: dict[tuple[object, ...], float] = {}

    def take(self, state: State, judges: judgement.Judges) -> None:
        """Know this from now on; questions that are being answered keep what they were told."""
        self.state, self.judges = state, judges
        self._known.clear()
        self._votes.clear()

    def brief(
        self, topic: str, text: str, kind: Kind | None, members: Sequence[Member]
    ) -> Briefing:
        """Give what is known of an electorate on a topic, for a question of this text and kind."""
        options = _options(text, kind)
        key = (topic, options, *((member.node, member.model, member.sha256) for member in members))
        known = self._known.get(key)
        if known is None:
            kin = {
                ModelKey(member.model, member.sha256): Kin(member.sha256, "", member.node)
                for member in reversed(members)
            }
            known = knowledge(self.state, list(kin), topic, kin, options, consensus=self._consensus)
            _keep(self._known, key, known)
        return Briefing(topic, known)

    def calibrated(self, ballot: Ballot) -> Ballot:
        """Put a calibrated confidence in the place of what a model said of itself."""
        return judgement.calibrated(ballot, self.judges)

    def judge(self, decision: Decision, briefing: Briefing, question: Question) -> Decision:
        """Say how sure a decided part is, and withhold it where that is not sure enough."""
        votes = self._effective_votes(decision, briefing.knowledge)
        noted = replace(decision, topic=briefing.topic, knowledge=briefing.knowledge)
        described = judgement.described(noted, votes)
        return judgement.judged(described, question.strategy, self.judges, question.error_risk)

    def _effective_votes(self, decision: Decision, known: Knowledge) -> float:
        """Count the independent votes among those that answered."""
        models = tuple(
            ModelKey(ballot.seat.model, ballot.sha256).id
            for ballot in decision.ballots
            if ballot.status is Status.VALID
        )
        key = (*models, "", *known.kin.items())
        votes = self._votes.get(key)
        if votes is None:
            votes = effective_votes(models, known)
            _keep(self._votes, key, votes)
        return votes

    def recall(self, durations: Mapping[Place, Latency]) -> None:
        """Know durations from before; their nodes are gone until they come."""
        self.latencies.update(durations)
        for place in durations:
            self.left(place.node)

    def came(self, node: str) -> None:
        """Note that a node is there: how long its models take is kept."""
        self._gone.pop(node, None)

    def left(self, node: str) -> None:
        """Note that a node is gone; it may come back, so the last MOST_GONE are remembered."""
        self._gone.pop(node, None)
        self._gone[node] = None
        if len(self._gone) > MOST_GONE:
            lost = next(iter(self._gone))
            del self._gone[lost]
            self.latencies = {
                place: known for place, known in self.latencies.items() if place.node != lost
            }

    def forget_durations(self, name: str) -> None:
        """Forget how long a model took, or all of them for ""."""
        self.latencies = {
            place: known
            for place, known in self.latencies.items()
            if name not in {"", place.model.name}
        }

    def timed(self, result: Result) -> None:
        """Note how long the ballots of an answer took that ended by themselves."""
        for decision in result.decisions:
            for ballot in (*decision.others, *decision.ballots):
                if ballot.status in {Status.VALID, Status.ABSTAINED}:
                    place = Place(ballot.node, ModelKey(ballot.seat.model, ballot.sha256))
                    before = self.latencies.get(place, Latency())
                    self.latencies[place] = before.seen(ballot.seconds.total - ballot.seconds.load)


def _options(text: str, kind: Kind | None) -> int:
    """Count the answers that a question allows; 0 when that is open."""
    if kind is Kind.BOOLEAN:
        return 2
    return len(options_of(text)) if kind is Kind.CHOICE else 0


def _keep(kept: dict[tuple[object, ...], Value], key: tuple[object, ...], value: Value) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = value
