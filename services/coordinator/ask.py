"""One question from prompt to answer: decompose, plan, dispatch, vote, merge. The whole story.

plan      the question is split by rules; every ready model is in the electorate
layers    parts that need nothing from each other are asked at the same time;
a part that works on another's result gets it in its prompt
dispatch  all members answer, until the rest cannot change the winner
vote      the strategy decides each part; a part without a quorum does not stop the others
merge     several parts become one answer
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from quorate import prompts
from quorate.answers.prover import waiting
from quorate.errors import NoQuorum
from quorate.quoting import quoted
from quorate.telemetry import SpanName, Telemetry
from services.coordinator import electorate, ending, planning, tally
from services.coordinator.decompose.dag import Subtask, layers
from services.coordinator.dispatch import Caller, Dispatcher, Work
from services.coordinator.events import Decided, Finished, Listener, Planned
from services.coordinator.orchestrate import table
from services.coordinator.orchestrate.floor import Floor, Scorer
from services.coordinator.question import (
    Ballot,
    Decision,
    Member,
    Merged,
    Message,
    Node,
    Plan,
    Question,
    Result,
    Seconds,
)

if TYPE_CHECKING:
    from services.coordinator.merging import Merger
    from services.coordinator.state.insight import Briefing
    from services.coordinator.state.memory import Memory
    from services.coordinator.traffic import Traffic

LONGEST_RESULT = 2_000
"""Characters of a parent's answer that its children read."""
MERGE_SHARE = 0.25
"""The merge gets this part of the time that a layer of parts gets."""


class Limits(NamedTuple):
    """How long a whole question and one ballot may take, in seconds."""

    question_seconds: float
    ballot_seconds: float


class Chances(NamedTuple):
    """The clock in seconds, and where seeds and ids are drawn from."""

    clock: Callable[[], float]
    draw_seed: Callable[[], int]
    new_id: Callable[[], str]


@dataclass(frozen=True)
class Means:
    """What answers are made with.

    `nodes` gives the live nodes of the moment, `traffic` is what was learned from calls of them.
    `writers` names the models that may merge, best first; empty lets the most reliable do it.
    """

    nodes: Callable[[], Sequence[Node]]
    caller: Caller
    scorer: Scorer
    merger: Merger
    limits: Limits
    chances: Chances
    telemetry: Telemetry
    traffic: Traffic
    memory: Memory
    writers: Sequence[str] = ()


def plan(means: Means, question: Question) -> Plan:
    """Split a question and say who would work on it; asks nobody."""
    return planning.plan(question, means.nodes(), means.chances.new_id())


async def answer(means: Means, question: Question, listener: Listener) -> Result:
    """Answer a question and tell what happens on the way.

    Raises NoNodes when nobody can vote and NoQuorum when no part has an answer.
    """
    started = means.chances.clock()
    # No proof is waited for on the event loop: the dispatcher has them found in a thread.
    with waiting(allowed=False), means.telemetry.span(SpanName.ASK, strategy=question.strategy):
        made = plan(means, question)
        await listener.tell(Planned(made))
        course = Course(means, question, made, listener, started)
        decisions = await course.decide()
        error = ending.nothing_decided(made.question_id, decisions)
        merged = Merged("", "none") if error else await course.merge(decisions)
        result = course.result(decisions, merged)
        if error is None:
            await listener.tell(Finished(result))
        await means.memory.remember(question, made.members, result)
        ending.measure(means.telemetry.metrics, result, error)
        if error is not None:
            raise error
    return result


class Course:
    """The course of one question through its plan."""

    def __init__(
        self, means: Means, question: Question, made: Plan, listener: Listener, started: float
    ) -> None:
        self._means = means
        self._question = question
        self._plan = made
        self._listener = listener
        self._started = started
        limits = means.limits
        seconds = limits.question_seconds if question.seconds is None else question.seconds
        self._deadline = started + min(limits.question_seconds, seconds)
        self._seed = means.chances.draw_seed() if question.seed is None else question.seed
        self._drawing = planning.within_budget(question, made)

    async def decide(self) -> list[Decision]:
        """Decide all parts, layer by layer."""
        decided: dict[str, Decision] = {}
        waiting = layers(self._plan.subtasks)
        for done, layer in enumerate(waiting):
            left = len(waiting) - done + (MERGE_SHARE if len(self._plan.subtasks) > 1 else 0.0)
            deadline = self._share_of_time(left)
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._part(part, decided, deadline)) for part in layer]
            decided.update((task.result().subtask.id, task.result()) for task in running)
        return [decided[part.id] for part in self._plan.subtasks]

    def _share_of_time(self, stages_left: float) -> float:
        now = self._means.chances.clock()
        share = max(0.0, self._deadline - now) / stages_left
        return now + min(self._means.limits.ballot_seconds, share)

    async def _part(
        self, part: Subtask, decided: Mapping[str, Decision], deadline: float
    ) -> Decision:
        """Ask all members about one part and decide it."""
        parents = [decided[parent] for parent in part.depends_on]
        kind = self._plan.kinds[part.id]
        missing = [parent.subtask.id for parent in parents if parent.error]
        if missing:
            error = NoQuorum(f"{part.id} needs the answer to {', '.join(missing)}, which has none")
            decision = tally.undecided(part, kind, error, ())
        else:
            briefing = await self._brief(part, deadline)
            decision = await self._vote(part, self._work(part, parents, deadline, briefing))
            decision = self._means.memory.insight.judge(decision, briefing, self._question)
        await self._listener.tell(Decided(decision))
        return decision

    async def _brief(self, part: Subtask, deadline: float) -> Briefing:
        """Say what a part is about, and what is known of its voters; fixed for its whole course."""
        memory, kind = self._means.memory, self._plan.kinds[part.id]
        seconds = deadline - self._means.chances.clock()
        topic = self._question.topic or await memory.classifier.topic(part.text, seconds)
        return memory.insight.brief(topic, part.text, kind, self._plan.members)

    async def _vote(self, part: Subtask, work: Work) -> Decision:
        """Hold the vote on a part: in the strategy's own way, or by one ballot of each member."""
        span = self._means.telemetry.span
        if orchestration := table.of(self._question):
            with span(SpanName.DISPATCH, part=part.id):
                return await orchestration(self._floor(part, work))
        with span(SpanName.DISPATCH, part=part.id):
            dispatcher = self._dispatcher(work, self._listener)
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

        async def dispatch(work: Work, listener: Listener) -> Sequence[Ballot]:
            return await self._dispatcher(work, listener).ballots()

        return Floor(
            question=self._question,
            part=part,
            work=work,
            listener=self._listener,
            clock=self._means.chances.clock,
            dispatch=dispatch,
            decide=lambda ballots: self._count(work, part, ballots),
            scorer=self._means.scorer,
        )

    def _dispatcher(self, work: Work, listener: Listener) -> Dispatcher:
        means, voters = self._means, self._plan.members

        def spares(member: Member) -> Sequence[Member]:
            return electorate.spares(member, voters, means.nodes(), self._question.nodes)

        clock = means.chances.clock
        return Dispatcher(means.caller, work, listener, clock, spares, means.traffic)

    def _work(
        self, part: Subtask, parents: Sequence[Decision], deadline: float, briefing: Briefing
    ) -> Work:
        question = self._question
        text = prompts.with_results(part.text, [_result_of(parent) for parent in parents])
        return Work(
            part_id=part.id,
            messages=(*question.messages[:-1], Message("user", text)),
            kind=self._plan.kinds[part.id],
            drawing=self._drawing,
            members=self._plan.members,
            samples=question.samples,
            seed=self._seed,
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
                _writers(self._plan.members, self._means.writers),
                self._drawing,
                self._deadline - self._means.chances.clock(),
                self._listener,
            )

    def result(self, decisions: Sequence[Decision], merged: Merged) -> Result:
        """Put the answer together with its votes."""
        missing = [
            f"{decision.subtask.id} has no answer: {decision.error}"
            if decision.error
            else f"{decision.subtask.id}: {decision.missing}"
            for decision in decisions
            if decision.error or decision.missing
        ]
        return Result(
            question_id=self._plan.question_id,
            merged=merged,
            strategy=self._question.strategy,
            decisions=decisions,
            reason="; ".join([*missing, merged.note] if merged.note else missing),
            seed=self._seed,
            seconds=self._seconds(decisions),
        )

    def _seconds(self, decisions: Sequence[Decision]) -> Seconds:
        """Tell when the first token of all came, and how long everything took."""
        firsts = [
            ballot.seconds.first_token
            for decision in decisions
            for ballot in decision.ballots
            if ballot.seconds.first_token > 0.0
        ]
        total = self._means.chances.clock() - self._started
        return Seconds(first_token=min(firsts, default=0.0), total=total)


def _result_of(parent: Decision) -> prompts.Part:
    """Show a parent's answer to its child: bounded, and no line of it passes for another entry."""
    asked = " ".join(parent.subtask.text.split())
    return prompts.Part(asked, quoted(parent.answer, LONGEST_RESULT))


def _writers(voters: Sequence[Member], named: Sequence[str]) -> list[Member]:
    """Order the models that may merge: as named, or the most reliable first."""
    if named:
        able = [voter for voter in voters if voter.model in named]
        return sorted(able, key=lambda voter: (named.index(voter.model), voter))
    return sorted(voters, key=lambda voter: (-voter.reliability, voter))
