"""A question being answered, as lines of text: for pipes, logs and the end of a live view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from quorate.cli.ask_view import QuestionView, moving, one_line, verdict
from quorate.cli.terminal import brief, duration
from quorate.client.plans import Plan, PlanStep, Residency
from quorate.client.results import (
    Answer,
    Ballot,
    BallotStatus,
    BallotToken,
    Certificate,
    Part,
    Retraction,
    SynthesisText,
)

if TYPE_CHECKING:
    from rich.console import Console

    from quorate.client.results import Event, Quorum


class LinePrinter:
    """Prints a line for each thing that is complete: a line of a model's text, a ballot, a vote.

    With a clock that gives seconds since the question was asked, each line begins with its time.
    """

    def __init__(
        self, console: Console, view: QuestionView, clock: Callable[[], float] | None = None
    ) -> None:
        self._console = console
        self._view = view
        self._clock = clock
        self._unfinished: dict[str, str] = {}

    def say(self, event: Event) -> None:
        """Print what an event adds; the view must have folded it already."""
        match event:
            case Plan():
                self._planned(event)
            case PlanStep():
                self._step(event)
            case Residency():
                self._line(moving(event))
            case BallotToken():
                self._token(event)
            case Ballot():
                self._ballot(event)
            case Part():
                self._decided(event)
            case _:
                self._remark(event)

    def _line(self, text: str) -> None:
        if self._clock:
            self._console.print(f"{self._clock() * 1000:6.0f} ms  ", style="dim", end="")
        self._console.print(text, markup=False, soft_wrap=True)

    def _planned(self, plan: Plan) -> None:
        for subtask in plan.subtasks:
            needs = f" (needs {', '.join(subtask.depends_on)})" if subtask.depends_on else ""
            self._line(f"{subtask.id} {one_line(subtask.text, 200)}{needs}")
        if plan.reason:
            self._line(f"plan: {plan.reason}")

    def _step(self, step: PlanStep) -> None:
        self._line(layer(step))
        if step.routing:
            for violation in step.routing.violations:
                self._line(f"layer {step.layer} breaks a limit: {violation}")
            if step.routing.note:
                self._line(f"layer {step.layer} note: {step.routing.note}")

    def _token(self, event: BallotToken) -> None:
        # Six models speak at once: only whole lines can be told apart.
        *lines, rest = (self._unfinished.get(event.ballot_id, "") + event.text).split("\n")
        self._unfinished[event.ballot_id] = rest
        for line in lines:
            self._speech(event.ballot_id, line)

    def _speech(self, ballot_id: str, line: str) -> None:
        found = self._view.member_of(ballot_id)
        if found and line.strip():
            part, member = found
            self._line(f"{part.id} {member.name} │ {line}")

    def _ballot(self, ballot: Ballot) -> None:
        self._speech(ballot.ballot_id, self._unfinished.pop(ballot.ballot_id, ""))
        self._line(f"{ballot.part_id} {ballot.member} votes: {verdict(ballot)}{_figures(ballot)}")

    def _decided(self, part: Part) -> None:
        for held in part.rounds:
            leading = f"{one_line(held.answer, 40)} leads with agreement {held.agreement:.2f}"
            self._line(
                f"{part.subtask.id} round {held.round}: {leading if held.answer else 'none'}"
            )
        self._line(f"{part.subtask.id} decided: {decision(part)}")
        if part.rounds or part.stopped_by in {"cascade", "deadline"}:
            self._line(f"{part.subtask.id} because {part.explanation}")

    def _remark(self, event: Event) -> None:
        match event:
            case Retraction():
                self._line(f"{event.part_id} {event.answer!r} overtakes {event.withdrawn!r}")
            case Certificate():
                self._line(f"{event.part_id} mode certified: {event.answer} (δ = {event.delta:g})")
            case SynthesisText(restart=True):
                self._line("the merged answer is written anew")


def layer(step: PlanStep) -> str:
    """Say in one line what a layer's plan gives to whom, and how it was found."""
    again = f" again ({one_line(step.again, 200)})" if step.again else ""
    ahead = f", looking ahead at {', '.join(step.ahead_ids)}" if step.ahead_ids else ""
    routing = step.routing
    found = (
        f" · {routing.mode} {routing.status} in {brief(routing.solve_seconds)}" if routing else ""
    )
    return f"layer {step.layer} planned{again}: {', '.join(step.subtask_ids)}{ahead}{found}"


def _figures(ballot: Ballot) -> str:
    if ballot.status is not BallotStatus.VALID:
        return ""
    return (
        f"  (confidence {ballot.confidence:.2f}, {ballot.usage.completion_tokens} tokens, "
        f"{duration(ballot.timings.total_seconds)})"
    )


def decision(part: Part) -> str:
    """Say in one line how a part was decided."""
    if part.failure:
        return f"no answer: {part.failure.message}"
    standings = part.standings
    if len(standings) == 1 and standings[0].answer == part.answer:
        counted = f"×{standings[0].votes}"
    else:
        counted = ", ".join(f"{one_line(one.answer, 40)} ×{one.votes}" for one in standings)
    tie = f"; {part.tie_break}" if part.tie_break else ""
    return f"{one_line(part.answer)} [{counted}; {quorum(part.quorum, part.ballots)}{tie}]"


SILENT: Mapping[BallotStatus, str] = {
    BallotStatus.CANCELLED: "stopped early: the outcome was settled",
    BallotStatus.ABSTAINED: "abstained",
    BallotStatus.TIMED_OUT: "too late",
    BallotStatus.FAILED: "failed",
}


def quorum(given: Quorum, ballots: Sequence[Ballot]) -> str:
    """Say how many took part, and why the others did not."""
    counts = Counter(ballot.status for ballot in ballots)
    others = [f", {counts[status]} {why}" for status, why in SILENT.items() if counts[status]]
    return f"{given.answered} of {given.asked} answered{''.join(others)}"


def summary(answer: Answer) -> Text:
    """Give the answer with its vote and times, the last thing that is shown."""
    shown = answer.answer if not answer.abstained else f"(withheld: {answer.reason})"
    vote = f"{answer.strategy} · agreement {answer.agreement:.2f} · "
    vote += f"{'' if answer.calibrated else 'uncalibrated '}confidence {answer.confidence:.2f}"
    merged = f" · merged: {answer.synthesis}" if len(answer.parts) > 1 else ""
    lines = [
        ("answer  ", shown, "bold"),
        ("vote    ", vote, ""),
        ("quorum  ", quorum(answer.quorum, answer.ballots) + merged, ""),
        ("time    ", _times(answer), ""),
    ]
    if answer.reason and not answer.abstained:
        lines.append(("missing ", answer.reason, "yellow"))
    return Text("\n").join(
        Text.assemble((label, "dim"), (_indented(text, len(label)), style))
        for label, text, style in lines
    )


def _indented(text: str, columns: int) -> str:
    return text.replace("\n", "\n" + " " * columns)


def _times(answer: Answer) -> str:
    times = answer.timings
    first = times.time_to_first_token_seconds
    parts = [duration(times.total_seconds)]
    if first:
        parts.append(f"first token after {duration(first)}")
    parts += [f"{answer.usage.completion_tokens} tokens", f"seed {answer.seed}"]
    return " · ".join(parts)
