"""`python -m services.bench.plan`: how long the best plan takes to find, and who breaks budgets.

Every problem is solved by all, one after the other, in this process: ours first, then CVXPY from
scratch and scipy.optimize.milp. Nothing is kept from one problem to the next.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from rich.console import Console

from services.bench import figures
from services.bench.plan import peers
from services.bench.plan.instances import draw, tight
from services.coordinator.routing.checker import check
from services.coordinator.routing.relaxed import predecessor_argmax
from services.coordinator.routing.solve import solve

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem, Solution

SIZES: Final[Mapping[tuple[int, int], float]] = {(8, 16): 8.0, (32, 64): 30.0, (64, 256): 400.0}
"""Models and tasks, and the milliseconds accepted at the median."""
FASTER_THAN_SCRATCH: Final = 0.5
"""The most of CVXPY's time that is accepted at the largest size."""
PEERS: Final[Mapping[str, Callable[[Problem, float], peers.Timed]]] = {
    "CVXPY, x continuous": peers.cvxpy_continuous,
    "scipy milp": peers.scipy_milp,
    "CVXPY, x binary": peers.cvxpy_whole,
}
SLOW: Final = "CVXPY, x binary"
OF_SLOW: Final = 6
"""It takes seconds at the largest size, so every so many problems it has its turn."""
LIMIT_SECONDS: Final = 10.0
SAME: Final = 1e-6
TIGHT: Final = 200


class Run(NamedTuple):
    """One problem, solved by us and by all peers."""

    ours: Solution
    theirs: Mapping[str, peers.Timed]


def timed(problem: Problem, seed: int) -> Run:
    """Solve a problem by everyone. Raises AssertionError where a plan breaks what it must hold."""
    ours = solve(problem, limit_seconds=LIMIT_SECONDS)
    verdict = check(problem, ours.assignment)
    if not verdict.feasible:
        raise AssertionError(f"our plan breaks {verdict.violations}")
    asked = {name: peer for name, peer in PEERS.items() if name != SLOW or seed % OF_SLOW == 1}
    return Run(ours, {name: peer(problem, LIMIT_SECONDS) for name, peer in asked.items()})


def measure(models: int, tasks: int, repeated: bool, count: int) -> list[Run]:
    """Draw and solve `count` problems of one size; one more, before them, warms up."""
    seeds = range(count + 1)
    return [timed(draw(models, tasks, seed, repeated), seed) for seed in seeds][1:]


def named(models: int, tasks: int, repeated: bool) -> str:
    """Name a size and kind of problems."""
    return f"{models} models, {tasks} {'alike' if repeated else 'different'} tasks"


def of_size(models: int, tasks: int, repeated: bool, runs: Sequence[Run]) -> list[figures.Figure]:
    """Give the figures of one size: median and p99 beside what is accepted, and beside peers."""
    name = named(models, tasks, repeated)
    ours = [run.ours.seconds * 1e3 for run in runs]
    accepted = SIZES[models, tasks]
    largest = (models, tasks) == max(SIZES)
    made = [
        figures.compare(f"{name}: p50", "ms", ours, "accepted", [accepted] * len(ours), "<= 1.00"),
        figures.compare(f"{name}: p99", "ms", [_p99(ours)], "accepted at p50", [accepted]),
    ]
    for peer in PEERS:
        both = [run for run in runs if peer in run.theirs]
        theirs = [run.theirs[peer].seconds * 1e3 for run in both]
        ours = [run.ours.seconds * 1e3 for run in both]
        goal = f"<= {FASTER_THAN_SCRATCH:.2f}" if largest and peer.startswith("CVXPY") else ""
        made.append(figures.compare(f"{name}: p50", "ms", ours, peer, theirs, goal))
    return made


def _p99(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.99, method="higher"))


def proved(runs: Mapping[str, Sequence[Run]]) -> list[figures.Figure]:
    """Give how many plans were proved optimal, and how far their worth is from peers'."""
    every = [run for several in runs.values() for run in several]
    optimal = [run for run in every if run.ours.status == "optimal"]
    apart = [_apart(run) for run in optimal]
    count = len(every)
    return [
        figures.compare(
            "plans proved optimal", "", [float(len(optimal))], "problems", [float(count)], ">= 1.00"
        ),
        figures.compare(
            "farthest from what peers proved", "", [max(apart)], "accepted", [SAME], "<= 1.00"
        ),
    ]


def _apart(run: Run) -> float:
    found = [peer.objective for peer in run.theirs.values() if peer.finished]
    return max((abs(objective - run.ours.objective) for objective in found), default=0.0)


def proofs(runs: Mapping[str, Sequence[Run]]) -> dict[str, object]:
    """Count who proved how much, and whether what was proved is the same."""
    counted: dict[str, object] = {}
    for name, several in runs.items():
        counted[name] = {
            "problems": len(several),
            "proved_by_us": sum(run.ours.status == "optimal" for run in several),
            "largest_gap": max(run.ours.gap for run in several),
            "by_structure_alone": sum(run.ours.solver == "structure" for run in several),
            "milliseconds_p50": median(run.ours.seconds * 1e3 for run in several),
            "milliseconds_p99": _p99([run.ours.seconds * 1e3 for run in several]),
            "unfinished_by_peer": {
                peer: sum(peer in run.theirs and not run.theirs[peer].finished for run in several)
                for peer in PEERS
            },
            "largest_difference_of_proved_objectives": max(_apart(run) for run in several),
        }
    return counted


def broken_budgets(count: int) -> figures.Figure:
    """Give which share of tight problems breaks a budget: the relaxation with argmax, and ours."""
    theirs = ours = 0
    for seed in range(count):
        problem = tight(seed)
        theirs += not check(problem, predecessor_argmax(problem)).feasible
        ours += not check(problem, solve(problem).assignment).feasible
    share = 100.0 * ours / count
    return figures.Figure(
        "tight budgets broken", share, "%", "relaxation + argmax", 100.0 * theirs / count,
        ours / max(1, theirs), "<= 0.00", ours == 0, count, share, share,
    )  # fmt: skip


def main() -> int:
    """Measure and publish; gives the exit status, 0 whatever the figures say."""
    parser = argparse.ArgumentParser(description="Measure how long the best plan takes to find.")
    parser.add_argument("--problems", type=int, default=30, help="of each size and kind")
    parser.add_argument("--tight", type=int, default=200, help="problems with a tight budget")
    parser.add_argument("--out", type=Path, default=Path("results"), help="of plan.json")
    arguments = parser.parse_args()
    if min(arguments.problems, arguments.tight) < 1:
        parser.error("--problems and --tight must be at least 1")
    console = Console(stderr=True, width=150)
    made, runs = list[figures.Figure](), dict[str, list[Run]]()
    for (models, tasks), repeated in itertools.product(SIZES, (False, True)):
        several = measure(models, tasks, repeated, arguments.problems)
        runs[named(models, tasks, repeated)] = several
        made += of_size(models, tasks, repeated, several)
        console.print(f"{named(models, tasks, repeated)}: {made[-5].value:.1f} ms")
    made += [*proved(runs), broken_budgets(arguments.tight)]
    sections = {"proofs": proofs(runs)}
    setup = "one process; ours and the peers in turn on each problem"
    figures.publish("plan", made, arguments.out, setup, sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
