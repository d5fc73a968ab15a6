"""What layered strategies share: what each model reads of the layer before, and a conclusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from quorate import prompts, quoting
from services.coordinator.orchestrate import lead
from services.coordinator.orchestrate.elected import elected
from services.coordinator.orchestrate.floor import Ask, answered, explained, uncounted
from services.coordinator.question import Ballot, Member, Message, Seat

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision, Round

MOST_REFERENCES = 16
"""Answers of one layer that a model reads."""


@dataclass
class Layers:
    """The layers of one part as they are held. `shown` turns a ballot into what others read."""

    floor: Floor
    name: str
    shown: Callable[[Ballot], str]
    heard: list[list[Ballot]] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    async def add(self, ballots: list[Ballot]) -> None:
        """Note a finished layer and tell how it stands."""
        self.heard.append(ballots)
        self.rounds.append(await self.floor.stand(ballots, self.rounds))

    @property
    def material(self) -> list[Ballot]:
        """The answers of the last layer that has any."""
        return next((found for held in self.heard[::-1] if (found := answered(held))), [])

    def references(self, reader: Seat) -> tuple[Message, ...]:
        """Write what a seat reads: the material in an order of its own, drawn from the seed.

        Positions sway models; over many readers no answer has the best one.
        """
        chosen = list(self.material)
        Random(f"{self.floor.work.seed}/{reader.id}").shuffle(chosen)  # noqa: S311
        texts = [self.shown(ballot) for ballot in chosen[:MOST_REFERENCES]]
        question = self.floor.work.messages[-1].content
        return self.floor.says(prompts.combine(question, quoting.quotes(texts)))

    def asks(self, seats: Sequence[tuple[Member, Seat]]) -> list[Ask]:
        """Let each of these seats read the layer before."""
        return [Ask(member, seat, self.references(seat)) for member, seat in seats]

    async def concluded(self, planned: int) -> Decision:
        """Let one model conclude from the last layer; where none can, that layer's vote decides."""
        floor, counted = self.floor, self._counted()
        decision = floor.decide(counted)
        spoken: list[Ballot] = []
        if self.material and floor.seconds_left > 0.0:
            number = len(self.heard)
            messages = self.references(Seat("", "", 0, number))
            spoken = await lead.spoken(floor, messages, number)
        late = floor.seconds_left <= 0.0
        if spoken and spoken[-1].voted is not None:
            last = spoken[-1]
            note = (
                f"{self.name}: {last.node}/{last.seat.model} concluded from {len(counted)} ballots"
            )
            decision = elected(decision, last, note, floor.question.min_agreement)
        else:
            why = "the time was over" if late else "no model could conclude"
            decision = explained(
                decision, f"{self.name}: {why}, so layer {counted[0].seat.round} votes"
            )
        return self._reported(decision, counted, spoken, planned)

    def _counted(self) -> list[Ballot]:
        """Give the last layer with an answer, as it was asked; else the last."""
        return next((held for held in self.heard[::-1] if answered(held)), self.heard[-1])

    def _reported(
        self, decision: Decision, counted: list[Ballot], spoken: list[Ballot], planned: int
    ) -> Decision:
        others = [ballot for held in self.heard if held is not counted for ballot in held]
        concluded = bool(spoken) and spoken[-1].voted is not None
        late = self.floor.seconds_left <= 0.0 and (not concluded or len(self.heard) < planned)
        missing = f"the time was over after {len(self.heard)} of {planned + 1} layers"
        return replace(
            decision,
            rounds=tuple(self.rounds),
            others=uncounted([*others, *spoken]),
            stopped_by="deadline" if late else "all",
            missing=missing if late else "",
        )
