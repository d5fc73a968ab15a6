"""The sections of routing.json, and the rows of routing.csv. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from services.bench import figures, stats
from services.bench.routing import tallies
from services.bench.routing.arms import AHEAD, BASELINE, LAMBDAS, MIXES, USUAL_LAMBDA, WORKFLOW
from services.bench.routing.arms import mix_name as name_of
from services.bench.routing.tallies import Done, Plain, difference

if TYPE_CHECKING:
    from services.bench.routing.outcome import Outcome
    from services.bench.routing.study import Study
    from services.bench.suites.mixing import Mix
    from services.bench.suites.suite import Item
    from services.bench.vote.records import Keeper

COLUMNS: Final = (
    "study", "mode", "jobs", "avg_score", "score_std", "models_swapped_in", "switch_cost",
    "active_models", "vram_violation_rate", "oracle_gap", "objective", "jobs_won",
    "routing_divergence", "seconds",
)  # fmt: skip
"""Of routing.csv, as those who compared routers before know them."""


def live(study: Study, kept: Keeper[Outcome]) -> Mapping[str, Any]:
    """Tabulate the arms that did whole jobs, and compare each with the exact plan."""
    jobs = study.jobs(study.live)
    done = {arm.name: [Done(job, kept.one(arm.name, job.id)) for job in jobs] for arm in WORKFLOW}
    base = done[BASELINE]
    pairs = {
        name: tallies.against(ours, base, study.seed)
        for name, ours in done.items()
        if name != BASELINE
    }
    tallies.corrected(pairs)
    return {
        "rows": [tallies.row(name, ours, study.seed) for name, ours in done.items()],
        "pairs": [{"mode": name, "other": BASELINE, **pair} for name, pair in pairs.items()],
    }


def mixed(study: Study, kept: Keeper[Outcome]) -> Mapping[str, Any]:
    """Tabulate orders and weights of loading, and compare them on the same questions."""
    items = sorted(study.mix("grouped"), key=lambda item: item.id)
    told = {one.arm.name: [kept.one(one.arm.name, item.id) for item in items] for one in MIXES}
    rows = [
        {
            "mix": one.mix,
            "lambda_switch": one.lambda_switch,
            **_mix_row(items, told[one.arm.name], study.seed),
        }
        for one in MIXES
    ]

    def versus(ours: tuple[Mix, float], theirs: tuple[Mix, float]) -> Plain:
        pair = told[name_of(*ours)], told[name_of(*theirs)]
        return {"lambda_switch": ours[1], **_versus(items, *pair, study.seed)}

    usual: tuple[Mix, float] = ("interleave", USUAL_LAMBDA)
    orders = [versus(("interleave", weight), ("grouped", weight)) for weight in LAMBDAS]
    others = [weight for weight in LAMBDAS if weight != USUAL_LAMBDA]
    weights = [versus(("interleave", weight), usual) for weight in others]
    return {"rows": rows, "orders": orders, "weights": weights}


def _mix_row(items: Sequence[Item], told: Sequence[Outcome], seed: int) -> Plain:
    clusters = [item.cluster for item in items]

    def of(values: Sequence[float]) -> Plain:
        return tallies.mean([float(value) for value in values], clusters, seed)

    return {
        "avg_score": of([_right(one) for one in told]),
        "models_swapped_in": of([one.swaps for one in told]),
        "seconds": of([one.seconds for one in told]),
        "waiting": of([one.waiting for one in told]),
        "tokens": of([one.tokens for one in told]),
        "vram_violations": sum(one.violations + (one.over_budget_bytes > 0) for one in told),
    }


def _versus(
    items: Sequence[Item], ours: Sequence[Outcome], theirs: Sequence[Outcome], seed: int
) -> Plain:
    """Compare two arms on the same questions, whatever their order was."""
    clusters = [item.cluster for item in items]

    def of(value: Callable[[Outcome], float]) -> tuple[list[float], list[float]]:
        return [float(value(one)) for one in ours], [float(value(one)) for one in theirs]

    seconds = of(lambda one: one.seconds)
    return {
        "avg_score": difference(*of(_right), clusters, seed),
        "models_swapped_in": difference(*of(lambda one: one.swaps), clusters, seed),
        "seconds": difference(*seconds, clusters, seed),
        "p_seconds": stats.wilcoxon(*seconds).p_value,
    }


def _right(outcome: Outcome) -> bool:
    return bool(outcome.steps) and outcome.steps[0].right


def headline(sections: Mapping[str, Any]) -> list[figures.Figure]:
    """Give the figures that stand beside those of other benchmarks."""
    rows = {one["mode"]: one for one in sections["live"]["rows"]}
    base, made = rows[BASELINE], []
    for name, one in rows.items():
        if name == BASELINE:
            continue
        for what, unit in (("avg_score", ""), ("seconds", "s")):
            ours, theirs = base[what]["value"], one[what]["value"]
            title = f"{what} of a job, {BASELINE} beside {name}"
            if theirs > 0.0:  # else there is no ratio
                made.append(figures.compare(title, unit, [ours], name, [theirs]))
    ours, theirs = rows[AHEAD]["waiting"]["value"], base["waiting"]["value"]
    title = "seconds that loads stood in the way, one layer ahead"
    if theirs > 0.0:
        made.append(figures.compare(title, "s", [ours], "none ahead", [theirs], "<= 1.00"))
    return made


def table(sections: Mapping[str, Any]) -> str:
    """Write the rows as CSV, in the fields of those who compared routers before."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for study in ("live", "replayed"):
        pairs = {one["mode"]: one for one in sections[study]["pairs"]}
        for one in sections[study]["rows"]:
            writer.writerow({"study": study, **_flat(one), **_flat(pairs.get(one["mode"], {}))})
    return text.getvalue()


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep the columns, intervals as their values; comparisons add what a row has not."""
    own = {"jobs_won", "routing_divergence"} if "other" in row else set(COLUMNS)
    return {
        name: value["value"] if isinstance(value, Mapping) else value
        for name, value in row.items()
        if name in own
    }
