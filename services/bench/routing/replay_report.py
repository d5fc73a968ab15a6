"""What replayed plans say: who differs from whom, who is right then, who is best. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import pstdev
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from services.bench import stats
from services.bench.routing.arms import BASELINE
from services.bench.routing.tallies import Plain, corrected, difference, mean

if TYPE_CHECKING:
    from services.bench.routing.replaying import Replayed, Right
    from services.bench.suites.workflow import Job

PREDECESSOR: Final = ("lp_relaxed", "model")
"""The two that were compared before: a relaxation, and a model that plans."""


class Replays(NamedTuple):
    """Every mode's plans of the same jobs: from the memory it left itself, and from that of mip.

    `uneven` are plans where the memory lies between one model and two.
    """

    own: Mapping[str, Sequence[Replayed]]
    same: Mapping[str, Sequence[Replayed]]
    hindsight: Sequence[Replayed]
    uneven: Mapping[str, Sequence[Replayed]]


class Tables:
    """Works out the tables of the replayed jobs."""

    def __init__(self, jobs: Sequence[Job], right: Right, replays: Replays, seed: int) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._right = right
        self._replays = replays
        self._seed = seed
        self._models = sorted({model for _, _, model in right})

    def sections(self) -> Mapping[str, Any]:
        """Give all tables."""
        own = self._replays.own
        rows = [self._row(mode, plans) for mode, plans in own.items()]
        pairs = {mode: self._pair(mode, BASELINE) for mode in own if mode != BASELINE}
        corrected(pairs)
        ours, theirs = PREDECESSOR
        return {
            "rows": rows,
            "pairs": [{"mode": mode, "other": BASELINE, **pair} for mode, pair in pairs.items()],
            "predecessor": {"mode": ours, "other": theirs, **self._pair(ours, theirs)},
            "use": [{"mode": mode, **self._use(plans)} for mode, plans in own.items()],
            "uneven": [self._brief(mode, plans) for mode, plans in self._replays.uneven.items()],
            "oracle": self._mean([float(self._any(*key)) for key in self._steps(own[BASELINE])]),
        }

    def _steps(self, plans: Sequence[Replayed]) -> list[tuple[str, str]]:
        return [(one.job, step) for one in plans for step in one.workers]

    def _any(self, job: str, step: str) -> bool:
        return any(self._right[job, step, model] for model in self._models)

    def _rights(self, plans: Sequence[Replayed]) -> list[float]:
        return [
            float(self._right[one.job, step, model])
            for one in plans
            for step, model in one.workers.items()
        ]

    def _templates(self) -> list[str]:
        """Give the template of every step."""
        plans = self._replays.own[BASELINE]
        return [self._jobs[job].template for job, _ in self._steps(plans)]

    def _mean(self, values: Sequence[float]) -> Plain:
        return mean(values, self._templates(), self._seed)

    def _row(self, mode: str, plans: Sequence[Replayed]) -> Plain:
        clusters = [self._jobs[one.job].template for one in plans]

        def per_job(values: Sequence[float]) -> Plain:
            return mean(values, clusters, self._seed)

        rights = self._rights(plans)
        oracle = [float(self._any(*key)) for key in self._steps(plans)]
        best = [_sum(one, "realised") for one in self._replays.hindsight]
        realised = [_sum(one, "realised") for one in plans]
        layers = [layer for one in plans for layer in one.layers]
        return {
            "mode": mode,
            "jobs": len(plans),
            "avg_score": self._mean(rights),
            "score_std": pstdev(self._shares(plans)),
            "models_swapped_in": per_job([_loads(one) for one in plans]),
            "switch_cost": per_job([_sum(one, "switch_cost") for one in plans]),
            "active_models": per_job([float(len(set(one.workers.values()))) for one in plans]),
            "vram_violation_rate": _broken(plans),
            "oracle_gap": difference(oracle, rights, self._templates(), self._seed),
            "objective": per_job([_sum(one, "objective") for one in plans]),
            "hindsight_gap": difference(best, realised, clusters, self._seed),
            "own_plans": sum(layer.own for layer in layers),
            "plans": len(layers),
        }

    def _brief(self, mode: str, plans: Sequence[Replayed]) -> Plain:
        clusters = [self._jobs[one.job].template for one in plans]
        return {
            "mode": mode,
            "avg_score": self._mean(self._rights(plans)),
            "objective": mean([_sum(one, "objective") for one in plans], clusters, self._seed),
            "models_swapped_in": mean([_loads(one) for one in plans], clusters, self._seed),
            "vram_violation_rate": _broken(plans),
        }

    def _shares(self, plans: Sequence[Replayed]) -> list[float]:
        return [
            sum(self._right[one.job, step, model] for step, model in one.workers.items())
            / len(one.workers)
            for one in plans
        ]

    def _pair(self, ours: str, theirs: str) -> dict[str, Any]:
        """Compare two modes: how often they differ, and who is right where they do."""
        same = self._replays.same
        first, second = _workers(same[ours]), _workers(same[theirs])
        differ = [key for key in first if first[key] != second[key]]
        right, other = (
            [self._right[job, step, chosen[job, step]] for job, step in differ]
            for chosen in (first, second)
        )
        own = self._replays.own
        apart = _workers(own[ours]), _workers(own[theirs])
        shares = list(zip(self._shares(own[ours]), self._shares(own[theirs]), strict=True))
        return {
            "routing_divergence": self._mean(_different(*apart)),
            "same_memory_divergence": self._mean(_different(first, second)),
            "differ": self._where(differ, right, other),
            "jobs_won": sum(a > b for a, b in shares),
            "jobs_lost": sum(a < b for a, b in shares),
            "p": {"right": stats.mcnemar(right, other).p_value if differ else 1.0},
        }

    def _where(
        self, differ: Sequence[tuple[str, str]], ours: Sequence[bool], theirs: Sequence[bool]
    ) -> Plain | None:
        """Say who is right where two modes differ; None where they never do."""
        if not differ:
            return None
        clusters = [self._jobs[job].template for job, _ in differ]
        first, second = (list(map(float, right)) for right in (ours, theirs))
        return {
            "n": len(differ),
            "only_ours": sum(a and not b for a, b in zip(ours, theirs, strict=True)),
            "only_theirs": sum(b and not a for a, b in zip(ours, theirs, strict=True)),
            "ours": mean(first, clusters, self._seed),
            "theirs": mean(second, clusters, self._seed),
            "difference": difference(first, second, clusters, self._seed),
        }

    def _use(self, plans: Sequence[Replayed]) -> Plain:
        counts = Counter(model for one in plans for model in one.workers.values())
        total = sum(counts.values())
        return {model: counts[model] / total for model in self._models}


def _broken(plans: Sequence[Replayed]) -> Plain:
    """Give the share of plans that break the memory."""
    broken = [layer.violations > 0 for one in plans for layer in one.layers]
    return stats.wilson(sum(broken), len(broken))._asdict()


def _workers(plans: Sequence[Replayed]) -> dict[tuple[str, str], str]:
    return {(one.job, step): model for one in plans for step, model in one.workers.items()}


def _different(
    ours: Mapping[tuple[str, str], str], theirs: Mapping[tuple[str, str], str]
) -> list[float]:
    return [float(model != theirs[key]) for key, model in ours.items()]


def _loads(plan: Replayed) -> float:
    return float(sum(len(layer.loads) for layer in plan.layers))


def _sum(plan: Replayed, name: str) -> float:
    return sum(float(getattr(layer, name)) for layer in plan.layers)
