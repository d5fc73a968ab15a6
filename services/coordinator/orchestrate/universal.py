"""Universal self-consistency: a model picks the candidate that agrees best with all (2311.17311).

For free text, where no two answers are equal. The pick is one letter, by a grammar; the order of
the candidates is drawn from the seed. A pick that cannot be read, or a model that fails, leaves the
choice to the medoid: the candidate most like all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from quorate import prompts, quoting
from quorate.answers import Kind, cluster, extract
from services.coordinator.orchestrate import lead
from services.coordinator.orchestrate.elected import elected
from services.coordinator.orchestrate.floor import answered, explained, uncounted
from services.coordinator.question import Ballot, Status

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision

MOST_CANDIDATES = len(prompts.LETTERS)
PICK_TOKENS = 8


async def universal(floor: Floor) -> Decision:
    """Let everybody answer, and one model pick."""
    counted = await floor.everybody(floor.until(1))
    rounds = (await floor.stand(counted, ()),)
    decision = replace(floor.decide(counted), rounds=rounds, stopped_by="all")
    candidates = answered(counted)
    labels = cluster([ballot.answer for ballot in candidates]).labels
    if len(set(labels)) < 2:
        return explained(decision, "universal: there was nothing to choose between")
    shown = shuffled(candidates, floor.work.seed)
    picks, chosen = await _picked(floor, shown)
    least = floor.question.min_agreement
    if chosen is None:
        late = "the time was over" if floor.seconds_left <= 0.0 else "no model's pick was usable"
        made = elected(decision, medoid(shown), f"universal: {late}; the medoid stands", least)
    else:
        by = f"{picks[-1].node}/{picks[-1].seat.model}"
        note = f"universal: {by} picked it as the most consistent of {len(shown)} candidates"
        made = elected(decision, chosen, note, least)
    return replace(made, others=uncounted(picks))


async def _picked(floor: Floor, shown: Sequence[Ballot]) -> tuple[list[Ballot], Ballot | None]:
    """Ask for a letter; gives the ballots of all who were asked, and the candidate chosen."""
    letters = prompts.LETTERS[: len(shown)]
    question = floor.work.messages[-1].content
    prompt = prompts.choose(question, quoting.quotes([ballot.text for ballot in shown]))
    drawing = floor.work.drawing._replace(
        temperature=0.0,
        max_tokens=PICK_TOKENS,
        grammar=f"root ::= [{letters[0]}-{letters[-1]}]",
        constrained=True,
    )
    asking = replace(floor, work=floor.work._replace(kind=Kind.CHOICE))
    picks = await lead.spoken(
        asking, floor.says(prompt), 1, drawing, read=lambda pick: read(pick, shown)
    )
    if not picks or picks[-1].answer is None:
        return picks, None
    return picks, candidate_of(picks[-1], shown)


def candidate_of(pick: Ballot, shown: Sequence[Ballot]) -> Ballot | None:
    """Give the candidate that a pick's letter stands for, None when it stands for none."""
    found = extract(pick.text, Kind.CHOICE) if pick.status is Status.VALID else None
    letter = found.text if found else ""
    place = prompts.LETTERS.find(letter) if len(letter) == 1 else -1
    return shown[place] if 0 <= place < len(shown) else None


def read(pick: Ballot, shown: Sequence[Ballot]) -> Ballot:
    """Give a pick the answer that its letter stands for; without one it abstains."""
    chosen = candidate_of(pick, shown)
    if chosen is not None:
        return replace(pick, answer=chosen.answer)
    status = Status.ABSTAINED if pick.status is Status.VALID else pick.status
    return replace(pick, answer=None, status=status)


def shuffled(candidates: Sequence[Ballot], seed: int) -> list[Ballot]:
    """Put candidates in an order that the seed draws, so that no member has the best position."""
    shown = list(candidates)
    Random(f"{seed}/universal").shuffle(shown)  # noqa: S311
    return shown[:MOST_CANDIDATES]


def medoid(candidates: Sequence[Ballot]) -> Ballot:
    """Give the candidate most like all others by the words that they share; ties go by seat."""
    bags = [Counter(ballot.text.lower().split()) for ballot in candidates]
    ordered = sorted(range(len(candidates)), key=lambda place: candidates[place].seat)
    return candidates[max(ordered, key=lambda place: sum(_alike(bags[place], b) for b in bags))]


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """Dice's coefficient of two bags of words, in [0, 1]."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0
