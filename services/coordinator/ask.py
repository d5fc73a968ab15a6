"""One question from prompt to answer: decompose, plan, dispatch, vote, merge. The whole story.

plan      the question is split by rules or a model; everybody votes, or the best that fit
layers    parts that need nothing from each other are asked at the same time;
a part that works on another's result gets it in its prompt
dispatch  all voters answer, until the rest cannot change the winner
vote      the strategy decides each part; a part without a quorum does not stop the others
merge     several parts become one answer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.answers.prover import waiting
from quorate.telemetry import SpanName
from services.coordinator import ending, journaling, plans
from services.coordinator.course import Course
from services.coordinator.events import Finished, Listener, Planned
from services.coordinator.outcome import Merged, Plan, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.coordinator.means import Means
    from services.coordinator.question import Question
    from services.coordinator.routing.frontier import Point


async def plan(
    means: Means, question: Question, *, pareto: bool = False
) -> tuple[Plan, Sequence[Point]]:
    """Split a question and say who would work on what, and why; nothing is loaded.

    With `pareto` the plans that no other beats come with it. Raises NoNodes when nobody can vote,
    and NoPlan when nobody fits.
    """
    with means.telemetry.span(SpanName.PLAN, routing=question.routing):
        fixed = plans.times(means, question)
        return await plans.foreseen(means, question, fixed, pareto=pareto)


async def answer(means: Means, question: Question, listener: Listener) -> Result:
    """Answer a question and tell what happens on the way.

    Raises NoNodes when nobody can vote and NoQuorum when no part has an answer.
    """
    # No proof is waited for on the event loop: the dispatcher has them found in a thread.
    with waiting(allowed=False), means.telemetry.span(SpanName.ASK, strategy=question.strategy):
        fixed = plans.times(means, question)
        made = await plans.plan(means, question, fixed)
        journaling.planned(means.journal, question, made)
        await listener.tell(Planned(made))
        course = Course(means, question, made, listener, fixed)
        decisions = await course.decide()
        error = ending.nothing_decided(made.question_id, decisions)
        merged = Merged("", "none") if error else await course.merge(decisions)
        result = course.result(decisions, merged)
        if error is None:
            await listener.tell(Finished(result))
        journaling.finished(means.journal, question, result)
        await means.memory.remember(question, made.members, result)
        ending.measure(means.telemetry.metrics, result, error)
        if error is not None:
            raise error
    return result
