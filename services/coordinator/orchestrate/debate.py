"""A debate: the same question again, with what the peers answered (arXiv 2305.14325).

Round 0 is independent, and its vote is always kept and reported: a debate is a martingale that
gains nothing on average (arXiv 2508.17536), so it is held only where it can gain, which is where
voters differ. It ends when all live voters agree. A voter that fails, or says nothing, in a later
round keeps its last answer: no round takes a vote away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from quorate import prompts, quoting
from quorate.answers import cluster
from services.coordinator.orchestrate import peers
from services.coordinator.orchestrate.counts import DEBATE_ROUNDS
from services.coordinator.orchestrate.floor import Ask, answered, explained, uncounted
from services.coordinator.question import Ballot, Member, Status

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision, Round

AGREED = "all live voters agree"
LIVE = (Status.VALID, Status.ABSTAINED)


async def debate(floor: Floor) -> Decision:
    """Hold a debate and decide by the last answer of every voter."""
    most = floor.question.rounds or DEBATE_ROUNDS
    heard = [await floor.everybody(floor.until(most))]
    rounds = [await floor.stand(heard[0], ())]
    kept = heard[0]
    while (why := _enough(kept, heard[-1])) is None and len(heard) <= most:
        if floor.seconds_left <= 0.0:
            break
        asks = _asks(floor, kept, heard[-1], len(heard))
        spoken = await floor.each(asks, floor.until(most - len(heard)))
        heard.append(_complete(spoken, heard[-1]))
        kept = [now if _holds(now) else before for now, before in zip(heard[-1], kept, strict=True)]
        rounds.append(await floor.stand(kept, rounds))
    return _decided(floor, kept, heard, rounds, why)


def _enough(kept: Sequence[Ballot], last: Sequence[Ballot]) -> str | None:
    """Say why no further round can gain anything, None where one can.

    A voter that failed neither counts as agreement nor blocks it; one that spoke without an answer
    has something to learn.
    """
    live = [mine for mine, now in zip(kept, last, strict=True) if now.status in LIVE]
    if not answered(live):
        return "nobody live has an answer to debate about"
    if len(live) == 1:
        return "one live voter has nobody to debate with"
    labels = cluster([ballot.answer for ballot in live]).labels
    return AGREED if None not in labels and len(set(labels)) == 1 else None


def _asks(floor: Floor, kept: Sequence[Ballot], last: Sequence[Ballot], number: int) -> list[Ask]:
    """Write what each voter reads in a round; one that is lost for good is not asked."""
    members = {(member.node, member.model): member for member in floor.work.members}
    speaking = [ballot.voted is not None for ballot in kept]
    asks = []
    for place, ballot in enumerate(last):
        if _lost(ballot):
            continue
        member = members[ballot.seat.node, ballot.seat.model]
        heard = peers.audience(place, speaking, floor.question.topology)
        asks.append(_ask(floor, member, ballot, [kept[other].text for other in heard], number))
    return asks


def _ask(floor: Floor, member: Member, ballot: Ballot, texts: Sequence[str], number: int) -> Ask:
    question = floor.work.messages[-1].content
    prompt = prompts.debate(question, quoting.quotes(texts)) if texts else question
    return Ask(member, ballot.seat._replace(round=number), floor.says(prompt))


def _lost(ballot: Ballot) -> bool:
    """Whether a voter timed out, or failed in a way that asking again does not mend."""
    if ballot.status is Status.FAILED:
        return ballot.error is None or not ballot.error.retryable
    return ballot.status not in LIVE


def _complete(spoken: Sequence[Ballot], before: Sequence[Ballot]) -> list[Ballot]:
    """Put a round's ballots in the order of seats; whoever was not asked stays as it was."""
    by_seat = {ballot.seat._replace(round=0): ballot for ballot in spoken}
    return [by_seat.get(ballot.seat._replace(round=0), ballot) for ballot in before]


def _holds(ballot: Ballot) -> bool:
    return ballot.status is Status.VALID


def _decided(
    floor: Floor,
    kept: Sequence[Ballot],
    heard: Sequence[Sequence[Ballot]],
    rounds: Sequence[Round],
    why: str | None,
) -> Decision:
    counted = {ballot.id for ballot in kept}
    others = {
        ballot.id: ballot for spoken in heard for ballot in spoken if ballot.id not in counted
    }
    held, most = len(heard) - 1, floor.question.rounds or DEBATE_ROUNDS
    agreed = why == AGREED
    late = not agreed and (_cut_off(floor, heard[-1]) or (why is None and held < most))
    note = f"debate of {held} rounds after round 0, {floor.question.topology} topology"
    if late:
        note = f"the time for the debate was over in round {held} of {most}"
    elif why:
        note = f"debate ended after round {held}: {why}"
    back = sum(one.seat.round < held and one.status is Status.VALID for one in kept)
    keeping = f"{back} of {len(kept)} voters keep the answer of an earlier round" if back else ""
    return replace(
        explained(floor.decide(kept), note, _turned(heard[0], kept), keeping),
        rounds=tuple(rounds),
        others=uncounted(list(others.values())),
        stopped_by="agreement" if agreed else "deadline" if late else "all",
        missing=note if late else "",
    )


def _cut_off(floor: Floor, last: Sequence[Ballot]) -> bool:
    late = any(ballot.status is Status.TIMED_OUT for ballot in last)
    return late and floor.seconds_left <= 0.0


def _turned(first: Sequence[Ballot], kept: Sequence[Ballot]) -> str:
    """Count who changed its answer, so that nobody has to look for it in the ballots."""
    changed = 0
    for before, after in zip(first, kept, strict=True):
        labels = cluster([before.answer, after.answer]).labels
        changed += None not in labels and labels[0] != labels[1]
    return f"{changed} of {len(kept)} voters changed their answer" if changed else ""
