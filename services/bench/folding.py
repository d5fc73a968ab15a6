"""What it costs to count ballots one by one, as a coordinator does while they come in.

After each ballot: its group, the standings where they are due, the stop rule where it could hold,
and the certificate; at the end the decision from scratch. Texts are read before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from quorate import voting
from quorate.answers import Kind, extract
from quorate.answers.grouping import Labels
from quorate.voting.certificate import CertificateProcess
from quorate.voting.folding import Folding
from quorate.voting.stopping import StopRule, should_stop
from services.bench import figures

SAMPLES: Final = 64
MEMBERS: Final = (1, 3, 6, 12)
GOAL_MEMBERS: Final = 6
TOTAL_GOAL_MILLISECONDS: Final = 100.0
STRETCH_GOAL_MILLISECONDS: Final = 20.0
SAID: Final[Mapping[str, Callable[[int], tuple[str, Kind]]]] = {
    "numbers, all different": lambda place: (f"Answer: {place}", Kind.NUMBER),
    "texts, all different": lambda place: (f"the city of Name{place}", Kind.TEXT),
    "all alike": lambda place: ("Answer: 18", Kind.NUMBER),
    "two in five for one, others different": lambda place: (
        "Answer: 18" if place % 5 < 2 else f"Answer: {place + 100}",
        Kind.NUMBER,
    ),
}


class Cost(NamedTuple):
    """Milliseconds that a question's counting took, and the longest without a pause."""

    total: float
    stretch: float


def ballots(said: str, count: int) -> list[voting.Vote]:
    """Make votes, each with an answer of its own."""
    made = []
    for place in range(count):
        member = f"n{place // SAMPLES}/m{place // SAMPLES}/{place % SAMPLES:02d}"
        made.append(voting.Vote(member, extract(*SAID[said](place)), (place * 37 % 101) / 101))
    return made


def fold(strategy: str, votes: Sequence[voting.Vote]) -> Cost:
    """Count votes one by one until they are settled."""
    folding = Folding(strategy, [1.0] * len(votes))
    labels, process = Labels(), CertificateProcess()
    total = longest = 0.0
    heard = list[voting.Vote]()
    stopped = False
    while not stopped:
        started = time.perf_counter()
        vote = votes[len(heard)]
        heard.append(vote)
        folding.add(vote, 1.0)
        if process.certificate is None:
            process.add(None if vote.answer is None else labels.add(vote.answer))
        if folding.may_tell():
            voting.decide(strategy, heard, clustering=folding.clustering)
        stopped = len(heard) == len(votes) or _stops(strategy, heard, len(votes), folding)
        taken = time.perf_counter() - started
        total, longest = total + taken, max(longest, taken)
    started = time.perf_counter()
    voting.decide(strategy, heard)
    taken = time.perf_counter() - started
    return Cost(1e3 * (total + taken), 1e3 * max(longest, taken))


def _stops(strategy: str, heard: Sequence[voting.Vote], expected: int, folding: Folding) -> bool:
    if not folding.may_stop(StopRule.EXACT):
        return False
    missing = [1.0] * (expected - len(heard))
    return bool(should_stop(heard, missing, strategy, clustering=folding.clustering))


def measure(runs: int) -> list[figures.Figure]:
    """Count electorates of 64 samples of one member to twelve."""
    made = []
    for said in SAID:
        for members in MEMBERS:
            votes = ballots(said, SAMPLES * members)
            costs = [fold("majority", votes) for _ in range(runs)]
            name = f"counting {len(votes)} ballots one by one, {said}"
            goals = ("<= 1.00", "<= 1.00") if members == GOAL_MEMBERS else ("", "")
            totals, stretches = [one.total for one in costs], [one.stretch for one in costs]
            limit = [TOTAL_GOAL_MILLISECONDS] * runs
            made.append(figures.compare(name, "ms", totals, "accepted", limit, goals[0]))
            limit = [STRETCH_GOAL_MILLISECONDS] * runs
            name = f"{name}: the longest stretch"
            made.append(figures.compare(name, "ms", stretches, "accepted", limit, goals[1]))
    return made
