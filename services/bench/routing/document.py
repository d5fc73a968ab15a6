"""The section of docs/planning.md about what routing is worth, from routing.json alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.bench.routing.arms import AHEAD, BASELINE

Result = Mapping[str, Any]
MIB: Final = 2**20


def setting(result: Result) -> str:
    """Say what was asked."""
    study, machine = result["study"], result["machine"]
    replayed = result["replayed"]["rows"][0]
    return (
        f"{study['live']} test jobs of {study['suite']} in every mode, "
        f"{study['mixed']} questions of {study['mix_suite']}, {replayed['jobs']} replayed jobs, "
        f"seed {study['seed']}; {machine['setup']}. Measured {machine['measured_at'][:10]} on "
        f"{machine['cores']} cores of {machine['processor']}.\n"
    )


def live(result: Result) -> str:
    """Tabulate the arms, and their differences from the exact plan."""
    rows, pairs = result["live"]["rows"], result["live"]["pairs"]
    heads = "mode | steps right, % | jobs done, % | seconds | of them planning | waiting for models"
    heads += " | models loaded | tokens"
    lines = [f"| {heads} |", f"|---|{'---:|' * 7}"]
    for one in rows:
        cells = [_percent(one["avg_score"]), _percent(one["done"]), _interval(one["seconds"], 2)]
        cells += [_interval(one["planning"], 2), _interval(one["waiting"], 2)]
        cells += [_interval(one["models_swapped_in"], 2), f"{one['tokens']['value']:.0f}"]
        lines.append(f"| {one['mode']} | {' | '.join(cells)} |")
    first = rows[0]
    lines += [
        "",
        (
            f"Means over {first['jobs']} jobs ({first['avg_score']['n']} steps) of "
            f"{first['done']['clusters']} templates, which are the clusters of the intervals "
            "(95 %, bootstrap). A job is done when all its final steps are right."
        ),
        "",
        f"Each mode less `{BASELINE}`, on the same jobs:",
        "",
        (
            "| mode | steps right, points | jobs done, points | p | seconds | p | models loaded "
            "| given to another model, % | jobs won, lost |"
        ),
        f"|---|{'---:|' * 8}",
        *(_pair(one) for one in pairs),
        "",
        _memory(rows),
        _planner(rows),
        "",
    ]
    return "\n".join(lines)


def _pair(one: Mapping[str, Any]) -> str:
    cells = [_points(one["avg_score"]), _points(one["done"]), _p(one["p"]["done"])]
    cells += [_signed(one["seconds"], 2), _p(one["p"]["seconds"])]
    cells += [_signed(one["models_swapped_in"], 2), _percent(one["routing_divergence"])]
    cells += [f"{one['jobs_won']}, {one['jobs_lost']}"]
    return f"| {one['mode']} | {' | '.join(cells)} |"


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
    jobs = sum(one["jobs"] for one in rows)
    broken = sum(round(one["vram_violation_rate"] * one["jobs"]) for one in rows)
    highest = max(one["highest_bytes"] for one in rows) / MIB
    failed = sum(one["failed_moves"] for one in rows)
    return (
        f"After each of the {jobs} jobs the node was asked what it holds: in {broken} of them a "
        f"plan or the node was above the memory (at most {highest:.0f} MiB were held). {failed} "
        "loads or unloads failed."
    )


def _planner(rows: Sequence[Mapping[str, Any]]) -> str:
    one = next(one for one in rows if one["mode"] == "model")
    return (
        f"In `model`, {one['own_plans']} of {one['plans']} layers were planned by the model "
        "itself, the others by the solver; "
        f"{one['hidden_swaps']['value']:.2f} of the loads per job were its own."
    )


def ahead(result: Result) -> str:
    """Say whether looking one layer ahead saves the time that loads stand in the way."""
    rows = {one["mode"]: one for one in result["live"]["rows"]}
    pair = next(one for one in result["live"]["pairs"] if one["mode"] == AHEAD)
    lines = [
        (
            "| looking ahead | steps right, % | seconds | waiting for models | all loads, seconds "
            "| models loaded | of them ahead |"
        ),
        f"|---|{'---:|' * 6}",
    ]
    for name, title in ((BASELINE, "not at all"), (AHEAD, "one layer")):
        one = rows[name]
        cells = [_percent(one["avg_score"]), _interval(one["seconds"], 2)]
        cells += [_interval(one["waiting"], 2), _interval(one["loading"], 2)]
        cells += [_interval(one["models_swapped_in"], 2), f"{one['ahead_swaps']['value']:.2f}"]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += [
        "",
        (
            f"Differences: {_signed(pair['waiting'], 2)} s of waiting (Wilcoxon, "
            f"p = {_p(pair['p']['waiting'])}), {_signed(pair['seconds'], 2)} s in all "
            f"(p = {_p(pair['p']['seconds'])}), {_points(pair['avg_score'])} points of steps "
            f"right; n = {pair['seconds']['n']} jobs of {pair['seconds']['clusters']} templates. "
            "p-values are corrected (Holm) for the number of modes."
        ),
        "",
    ]
    return "\n".join(lines)


def mix(result: Result) -> str:
    """Tabulate orders of questions and weights of loading."""
    lines = [
        "| order | λ_switch | right, % | models loaded per question | seconds |",
        f"|---|{'---:|' * 4}",
    ]
    for one in result["mixed"]["rows"]:
        cells = [f"{one['lambda_switch']:g}", _percent(one["avg_score"])]
        cells += [_interval(one["models_swapped_in"], 2), _interval(one["seconds"], 2)]
        lines.append(f"| {one['mix']} | {' | '.join(cells)} |")
    rows = result["mixed"]["rows"]
    usual = next(one for one in result["mixed"]["orders"] if one["lambda_switch"] == 0.2)
    broken = sum(one["vram_violations"] for one in rows)
    lines += [
        "",
        (
            f"n = {rows[0]['seconds']['n']} questions in each row. Turns instead of groups cost "
            f"{_signed(usual['seconds'], 2)} s and {_signed(usual['models_swapped_in'], 2)} loads "
            f"per question at λ_switch 0.2 (Wilcoxon, p = {_p(usual['p_seconds'])}). The memory "
            f"was broken {broken} times."
        ),
        "",
        "| λ_switch, in turns, less 0.2 | right, points | models loaded | seconds |",
        "|---|---:|---:|---:|",
        *(
            f"| {one['lambda_switch']:g} | {_points(one['avg_score'])} "
            f"| {_signed(one['models_swapped_in'], 2)} | {_signed(one['seconds'], 2)} |"
            for one in result["mixed"]["weights"]
        ),
        "",
    ]
    return "\n".join(lines)


def replayed(result: Result) -> str:
    """Tabulate the plans of replayed jobs."""
    found = result["replayed"]
    lines = [
        (
            "| mode | steps right, % | short of any model, points | objective | short of hindsight "
            "| models loaded | plans above the memory, % | models per job |"
        ),
        f"|---|{'---:|' * 7}",
    ]
    for one in found["rows"]:
        cells = [_percent(one["avg_score"]), _points(one["oracle_gap"])]
        cells += [_interval(one["objective"], 3), _interval(one["hindsight_gap"], 3)]
        cells += [_interval(one["models_swapped_in"], 2), _percent(one["vram_violation_rate"], 1)]
        cells += [f"{one['active_models']['value']:.2f}"]
        lines.append(f"| {one['mode']} | {' | '.join(cells)} |")
    first = found["rows"][0]
    planner = next(one for one in found["rows"] if one["mode"] == "model")
    lines += [
        "",
        (
            f"{first['jobs']} jobs, {first['avg_score']['n']} steps, {first['plans']} plans, "
            f"{first['avg_score']['clusters']} templates. Of {_percent(found['oracle'])} % of the "
            f"steps some model is right. The planning model wrote {planner['own_plans']} of its "
            f"{planner['plans']} plans itself."
        ),
        "",
    ]
    return "\n".join(lines)


def differ(result: Result) -> str:
    """Tabulate who was better where two modes chose different models."""
    found = result["replayed"]
    lines = [
        (
            "| modes | given to another model, % | with the same memory, % | steps that differ "
            "| only the first right, only the second | difference, points | p | jobs won, lost |"
        ),
        f"|---|{'---:|' * 7}",
    ]
    for one in [found["predecessor"], *found["pairs"]]:
        cells = [_percent(one["routing_divergence"]), _percent(one["same_memory_divergence"])]
        where = one["differ"]
        cells += (
            [
                str(where["n"]),
                f"{where['only_ours']}, {where['only_theirs']}",
                _points(where["difference"]),
                _p(one["p"]["right"]),
            ]
            if where
            else ["0", "–", "–", "–"]
        )
        cells.append(f"{one['jobs_won']}, {one['jobs_lost']}")
        lines.append(f"| {one['mode']} beside {one['other']} | {' | '.join(cells)} |")
    models = [name for name in found["use"][0] if name != "mode"]
    lines += [
        "",
        "Share of the steps that each model is given, %:",
        "",
        f"| mode | {' | '.join(models)} |",
        f"|---|{'---:|' * len(models)}",
        *(
            f"| {one['mode']} | {' | '.join(f'{100 * one[name]:.0f}' for name in models)} |"
            for one in found["use"]
        ),
        "",
    ]
    return "\n".join(lines)


def _interval(found: Mapping[str, float], digits: int) -> str:
    return f"{found['value']:.{digits}f} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"


def _signed(found: Mapping[str, float], digits: int) -> str:
    value, low, high = (f"{found[key]:+.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]".replace("-", "−")


def _percent(found: Mapping[str, float], digits: int = 0) -> str:
    value, low, high = (f"{100 * found[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _points(found: Mapping[str, float]) -> str:
    value, low, high = (f"{100 * found[key]:+.1f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]".replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


SECTIONS: Mapping[str, Callable[[Result], str]] = {
    "setting": setting,
    "live": live,
    "ahead": ahead,
    "mix": mix,
    "replayed": replayed,
    "differ": differ,
}
