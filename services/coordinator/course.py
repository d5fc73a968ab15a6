"""The course of one question through its plan: layers of parts, each with its vote; the merge."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from quorate import prompts
from quorate.errors import (
    DeadlineExceeded,
    NoNodes,
    NoPlan,
    NoQuorum,
    Overloaded,
    QuorateError,
)
from quorate.quoting import quoted
from quorate.telemetry import SpanName
from services.coordinator import electorate, ending, planning, plans, tally
from services.coordinator.decompose.dag import Subtask, layers
from services.coordinator.dispatch import Dispatcher, Work
from services.coordinator.events import Decided, Listener
from services.coordinator.orchestrate import table
from services.coordinator.orchestrate.floor import Floor
from services.coordinator.outcome import Decision, Merged, Plan, Result
from services.coordinator.question import Ballot, Member, Message, Question, Seconds, Tokens
from services.coordinator.routing.moves import Place

if TYPE_CHECKING:
    from services.coordinator.means import Means
    from services.coordinator.plans import Times
    from services.coordinator.staging import Stages, Voters
    from services.coordinator.state.insight import Briefing

LONGEST_RESULT = 2_000
"""Characters of a parent's answer that its children read."""
MOST_PLANS = 3
"""How often a layer is planned whose voters all fail."""


class Course:
    """The course of one question through its plan."""

    def __init__(
        self, means: Means, question: Question, made: Plan, listener: Listener, times: Times
    ) -> None:
        self._means = means
        self._question = question
        self._plan = made
        self._listener = listener
        self._times = times
        self._drawing = planning.within_budget(question, made)
        self._stages: Stages | None = None
        if not made.everybody:
            self._stages = plans.stages(means, question, made, times, listener)

    async def decide(self) -> list[Decision]:
        """Decide all parts, layer by layer."""
        if self._stages is not None:
            return await self._decide()
        # Nobody's plan may end a model that votes here.
        voters = [Place(member.node, member.model) for member in self._plan.members]
        with self._means.loading.using(voters):
            return await self._decide()

    async def _decide(self) -> list[Decision]:
        decided: dict[str, Decision] = {}
        waiting = layers(self._plan.subtasks)
        merge = planning.MERGE_SHARE if len(self._plan.subtasks) > 1 else 0.0
        for number, layer in enumerate(waiting):
            deadline = self._share_of_time(len(waiting) - number + merge)
            ready = [part for part in layer if not self._orphaned(part, decided)]
            for part in layer:
                if error := self._orphaned(part, decided):
                    decided[part.id] = await self._undecided(part, error)
            if ready:
                await self._layer(number, ready, decided, deadline)
        return [decided[part.id] for part in self._plan.subtasks]

    def _share_of_time(self, stages_left: float) -> float:
        now = self._means.chances.clock()
        share = max(0.0, self._times.deadline - now) / stages_left
        return now + min(self._means.limits.ballot_seconds, share)

    def _orphaned(self, part: Subtask, decided: Mapping[str, Decision]) -> NoQuorum | None:
        missing = [parent for parent in part.depends_on if decided[parent].error]
        if not missing:
            return None
        return NoQuorum(f"{part.id} needs the answer to {', '.join(missing)}, which has none")

    async def _undecided(self, part: Subtask, error: QuorateError) -> Decision:
        decision = tally.undecided(part, self._plan.kinds[part.id], error, ())
        await self._listener.tell(Decided(decision))
        return decision

    async def _layer(
        self, number: int, parts: Sequence[Subtask], decided: dict[str, Decision], deadline: float
    ) -> None:
        """Decide the parts of one layer; those whose voters all failed are planned again."""
        if self._stages is None:
            everybody = {part.id: self._plan.members for part in parts}
            decided.update(await self._parts(parts, everybody, decided, deadline))
            return
        again, before = "", dict[str, Decision]()
        for left in reversed(range(MOST_PLANS)):
            seconds = deadline - self._means.chances.clock()
            try:
                async with self._stages.stage(number, parts, seconds, again) as voters:
                    self._budget_for(max(map(len, voters.values())))
                    made = await self._parts(parts, voters, decided, deadline, last=not left)
            except (NoPlan, NoNodes, Overloaded, DeadlineExceeded) as error:
                for part in parts:
                    decided[part.id] = await self._given_up(part, error, before.get(part.id))
                return
            decided.update(made)
            before = made
            failed = [decision for decision in made.values() if ending.all_failed(decision)]
            if not left or not failed:
                return
            parts = [decision.subtask for decision in failed]
            self._stages.lose([member for part in parts for member in voters[part.id]])
            again = "; ".join(f"{one.subtask.id}: {one.error}" for one in failed)

    async def _given_up(
        self, part: Subtask, error: QuorateError, before: Decision | None
    ) -> Decision:
        """End a part that cannot be planned; what its voters said before stays in its record."""
        if before is None:
            return await self._undecided(part, error)
        told = f"planned again: {error.message}"
        decision = replace(before, explanation="; ".join(filter(None, (told, before.explanation))))
        await self._listener.tell(Decided(decision))
        return decision

    def _budget_for(self, voters: int) -> None:
        """Share the budget of tokens among as many voters as a layer has."""
        self._plan = replace(self._plan, voters=voters)
        self._drawing = planning.within_budget(self._question, self._plan)

    async def _parts(
        self,
        parts: Sequence[Subtask],
        voters: Voters,
        decided: Mapping[str, Decision],
        deadline: float,
        *,
        last: bool = True,
    ) -> dict[str, Decision]:
        """Decide parts at the same time, each by its own voters."""
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self._part(part, voters[part.id], decided, deadline, last=last))
                for part in parts
            ]
        return {part.id: task.result() for part, task in zip(parts, running, strict=True)}

    async def _part(
        self,
        part: Subtask,
        voters: tuple[Member, ...],
        decided: Mapping[str, Decision],
        deadline: float,
        *,
        last: bool,
    ) -> Decision:
        """Ask voters about one part and decide it; it is told, unless it will be tried again."""
        parents = [decided[parent] for parent in part.depends_on]
        briefing = await self._brief(part, voters, deadline)
        work = self._work(part, voters, parents, deadline, briefing)
        decision = await self._vote(part, work)
        decision = self._means.memory.insight.judge(decision, briefing, self._question)
        if last or not ending.all_failed(decision):
            await self._listener.tell(Decided(decision))
        return decision

    async def _brief(self, part: Subtask, voters: tuple[Member, ...], deadline: float) -> Briefing:
        """Say what a part is about, and what is known of its voters; fixed for its whole course."""
        memory, kind = self._means.memory, self._plan.kinds[part.id]
        seconds = deadline - self._means.chances.clock()
        topic = self._question.topic or await memory.classifier.topic(part.text, seconds)
        return memory.insight.brief(topic, part.text, kind, voters)

    async def _vote(self, part: Subtask, work: Work) -> Decision:
        """Hold the vote on a part: in the strategy's own way, or by one ballot of each member."""
        span = self._means.telemetry.span
        if orchestration := table.of(self._question):
            with span(SpanName.DISPATCH, part=part.id):
                return await orchestration(self._floor(part, work))
        with span(SpanName.DISPATCH, part=part.id):
            dispatcher = self._dispatcher(work, self._listener, work.members)
            ballots = await dispatcher.ballots()
        with span(SpanName.VOTE, part=part.id):
            return self._count(work, part, ballots, dispatcher.ending)

    def _count(
        self,
        work: Work,
        part: Subtask,
        ballots: Sequence[Ballot],
        ending: tally.Ending = tally.UNTOLD,
    ) -> Decision:
        return tally.decide(
            part,
            self._plan.kinds[part.id],
            self._question.strategy,
            ballots,
            knowledge=work.knowledge,
            min_agreement=self._question.min_agreement,
            ending=ending,
        )

    def _floor(self, part: Subtask, work: Work) -> Floor:
        """Give an orchestrated strategy its means to ask and to count."""

        async def dispatch(asked: Work, listener: Listener) -> Sequence[Ballot]:
            return await self._dispatcher(asked, listener, work.members).ballots()

        return Floor(
            question=self._question,
            part=part,
            work=work,
            listener=self._listener,
            clock=self._means.chances.clock,
            dispatch=dispatch,
            decide=lambda ballots: self._count(work, part, ballots),
            scorer=self._means.scorer,
            marker=self._means.marker,
        )

    def _dispatcher(self, work: Work, listener: Listener, voters: tuple[Member, ...]) -> Dispatcher:
        means = self._means

        def spares(member: Member) -> Sequence[Member]:
            found = electorate.spares(member, voters, means.nodes(), self._question.nodes)
            # A copy that would have to be loaded is in nobody's plan.
            return [one for one in found if one.resident] if self._stages else found

        clock = means.chances.clock
        return Dispatcher(means.caller, work, listener, clock, spares, means.traffic)

    def _work(
        self,
        part: Subtask,
        voters: tuple[Member, ...],
        parents: Sequence[Decision],
        deadline: float,
        briefing: Briefing,
    ) -> Work:
        question = self._question
        text = prompts.with_results(part.text, [_result_of(parent) for parent in parents])
        return Work(
            part_id=part.id,
            messages=(*question.messages[:-1], Message("user", text)),
            kind=self._plan.kinds[part.id],
            drawing=self._drawing,
            members=voters,
            samples=question.samples,
            seed=self._times.seed,
            strategy=question.strategy,
            deadline=deadline,
            deterministic=question.deterministic,
            tenant=question.tenant,
            stop_rule=question.stop_rule,
            risk=question.risk,
            delta=question.delta,
            confidence_threshold=question.confidence_threshold,
            min_agreement=question.min_agreement,
            deadline_is_budget=question.seconds_are_budget,
            allowance=planning.allowance(question, self._plan, self._drawing),
            knowledge=briefing.knowledge,
            calibrate=self._means.memory.insight.calibrated,
        )

    async def merge(self, decisions: Sequence[Decision]) -> Merged:
        """Make one answer of the parts'; a withheld one is not written at all."""
        if any(decision.withheld for decision in decisions):
            return Merged("", "single" if len(decisions) == 1 else "deterministic")
        with self._means.telemetry.span(SpanName.SYNTHESIZE, parts=len(decisions)):
            return await self._means.merger.merge(
                self._question.text,
                decisions,
                ending.writers(await self._in_memory(), self._means.writers),
                self._drawing,
                self._times.deadline - self._means.chances.clock(),
                self._listener,
            )

    async def _in_memory(self) -> Sequence[Member]:
        """Give the members that may merge; where memory is planned, those that need no loading.

        A writer that its node loads first would end models that a plan has just brought.
        """
        named = self._means.writers
        if self._stages is None:
            return self._plan.members
        nodes = await self._means.loading.look(self._means.nodes())
        ready = {(node.name, model.name) for node in nodes for model in node.models if model.ready}
        return [
            member
            for member in self._plan.members
            if member.model in named or (member.node, member.model) in ready
        ]

    def result(self, decisions: Sequence[Decision], merged: Merged) -> Result:
        """Put the answer together with its votes."""
        return Result(
            question_id=self._plan.question_id,
            merged=merged,
            strategy=self._question.strategy,
            decisions=decisions,
            reason=ending.reason(decisions, merged),
            seed=self._times.seed,
            seconds=Seconds(
                first_token=ending.first_token(decisions),
                total=self._means.chances.clock() - self._times.started,
            ),
            steps=tuple(self._stages.steps) if self._stages else (),
            planning=self._plan.tokens.plus(self._stages.tokens if self._stages else Tokens()),
        )


def _result_of(parent: Decision) -> prompts.Part:
    """Show a parent's answer to its child: bounded, and no line of it passes for another entry."""
    asked = " ".join(parent.subtask.text.split())
    return prompts.Part(asked, quoted(parent.answer, LONGEST_RESULT))
