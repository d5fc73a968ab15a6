"""What is known of a question while it is being answered. Folds events, draws nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quorate.cli.terminal import duration
from quorate.client import results
from quorate.client.plans import Move, Plan, PlanStep, Residency
from quorate.client.results import (
    Answer,
    Ballot,
    BallotStarted,
    BallotToken,
    Certificate,
    Part,
    Provisional,
    Retraction,
    SynthesisText,
)

if TYPE_CHECKING:
    from quorate.client.results import Event, Standing

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass
class MemberView:
    """One voter: what it has said so far, and its ballot once it is cast."""

    name: str
    text: str = ""
    ballot: Ballot | None = None


@dataclass
class PartView:
    """One part: its voters in the order of their names, and how the vote stands."""

    id: str
    text: str = ""
    depends_on: tuple[str, ...] = ()
    members: dict[str, MemberView] = field(default_factory=dict)
    standings: Sequence[Standing] = ()
    outstanding: int | None = None
    certificate: Certificate | None = None
    retractions: int = 0
    decided: Part | None = None

    def ordered(self) -> list[MemberView]:
        """Give the voters in the order of their names, which does not jump as ballots come in."""
        return sorted(self.members.values(), key=lambda member: member.name)


@dataclass
class QuestionView:
    """A question on its way to an answer."""

    question: str
    plan: Plan | None = None
    step: PlanStep | None = None
    moves: dict[tuple[str, str], Residency] = field(default_factory=dict)
    parts: dict[str, PartView] = field(default_factory=dict)
    synthesis: str = ""
    answer: Answer | None = None

    def fold(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Plan() | PlanStep() | Residency():
                self._planned(event)
            case Answer():
                self.answer = event
            case SynthesisText():
                self.synthesis = event.text if event.restart else self.synthesis + event.text
            case BallotStarted() | BallotToken() | Ballot():
                self._voted(event)
            case _:
                self._counted(event)

    def _planned(self, event: Plan | PlanStep | Residency) -> None:
        if isinstance(event, PlanStep):
            self.step = event
            return
        if isinstance(event, Residency):
            self.moves[event.node, event.model] = event
            return
        self.plan = event
        for subtask in event.subtasks:
            part = self.part(subtask.id)
            part.text, part.depends_on = subtask.text, subtask.depends_on

    def _voted(self, event: BallotStarted | BallotToken | Ballot) -> None:
        if isinstance(event, BallotStarted):
            self.member(event.part_id, event.ballot_id, event.member)
        elif isinstance(event, Ballot):
            member = self.member(event.part_id, event.ballot_id, event.member)
            member.ballot = event
            member.text = event.text or member.text
        else:
            for part in self.parts.values():
                if event.ballot_id in part.members:
                    part.members[event.ballot_id].text += event.text

    def _counted(self, event: Provisional | Retraction | Certificate | Part) -> None:
        if isinstance(event, Part):
            part = self.part(event.subtask.id)
            part.decided, part.standings, part.outstanding = event, event.standings, 0
            part.text = event.subtask.text
            return
        part = self.part(event.part_id)
        if isinstance(event, Provisional):
            part.standings, part.outstanding = event.standings, event.outstanding
        elif isinstance(event, Retraction):
            part.retractions += 1
        else:
            part.certificate = event

    def part(self, part_id: str) -> PartView:
        """Give a part, known from the plan or not."""
        return self.parts.setdefault(part_id, PartView(part_id))

    def member(self, part_id: str, ballot_id: str, name: str) -> MemberView:
        """Give a voter of a part."""
        return self.part(part_id).members.setdefault(ballot_id, MemberView(name))

    def member_of(self, ballot_id: str) -> tuple[PartView, MemberView] | None:
        """Find a voter by its ballot."""
        for part in self.parts.values():
            if ballot_id in part.members:
                return part, part.members[ballot_id]
        return None


def verdict(ballot: Ballot) -> str:
    """Say in a few words what became of a ballot."""
    match ballot.status:
        case results.BallotStatus.VALID:
            return one_line(ballot.answer or "")
        case results.BallotStatus.ABSTAINED:
            return "abstained: no answer found in what it said"
        case results.BallotStatus.CANCELLED:
            return "stopped: the outcome was settled"
        case results.BallotStatus.TIMED_OUT:
            return "too late"
        case _:
            reason = ballot.failure.message if ballot.failure else str(ballot.status)
            return f"failed: {one_line(reason)}"


def moving(move: Residency) -> str:
    """Say that a model is loaded or unloaded, was, or could not be."""
    where = f"{move.model} on {move.node}"
    verb = "unload" if move.kind is Move.UNLOAD else "load"
    if move.problem:
        return f"could not {verb} {where}: {one_line(move.problem, 200)}"
    ahead = ", ahead" if move.ahead else ""
    if move.done:
        return f"{verb}ed {where} in {duration(move.seconds)}{ahead}"
    took = f", {duration(move.seconds)}" if move.seconds else ""
    return f"{verb}ing {where}{took}{ahead}"


def one_line(text: str, limit: int = 72) -> str:
    """Show a text on one line, shortened, without the controls that could steer a terminal."""
    flat = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
