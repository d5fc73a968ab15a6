"""The section of docs/planning.md about what routing is worth, from routing.json alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from services.bench.routing.arms import AHEAD, BASELINE, ROOM_FOR_TWO, USUAL_LAMBDA

Result = Mapping[str, Any]
Row = Mapping[str, Any]
MIB: Final = 2**20
LEAST_CLUSTERS: Final = 5


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
    heads = ["mode", "steps right, %", "jobs done, %", "seconds", "of them planning"]
    heads += ["waiting for models", "models loaded", "tokens"]
    against = ["mode", "steps right, points", "jobs done, points", "p", "seconds", "p"]
    against += ["models loaded", "given to another model, %", "jobs won, lost"]
    first = rows[0]
    means = (
        f"Means over {first['jobs']} jobs ({first['avg_score']['n']} steps) of "
        f"{first['done']['clusters']} templates, which are the clusters of the intervals "
        "(95 %, bootstrap). A job is done when all its final steps are right."
    )
    title = f"Each mode less `{BASELINE}`, on the same jobs; p is McNemar's and Wilcoxon's:"
    return _text(
        *_grid(heads, map(_arm, rows)),
        means,
        "",
        title,
        "",
        *_grid(against, map(_pair, pairs)),
        _memory(rows),
        _planner(rows),
    )


def _arm(one: Row) -> list[str]:
    cells = [one["mode"], _percent(one["avg_score"]), _percent(one["done"])]
    cells += [_interval(one[name], 2) for name in ("seconds", "planning", "waiting")]
    return [*cells, _interval(one["models_swapped_in"], 2), f"{one['tokens']['value']:.0f}"]


def _pair(one: Row) -> list[str]:
    cells = [one["mode"], _points(one["avg_score"]), _points(one["done"]), _p(one["p"]["done"])]
    cells += [_signed(one["seconds"], 2), _p(one["p"]["seconds"])]
    cells += [_signed(one["models_swapped_in"], 2), _percent(one["routing_divergence"])]
    return [*cells, f"{one['jobs_won']}, {one['jobs_lost']}"]


def _memory(rows: Sequence[Row]) -> str:
    jobs = sum(one["jobs"] for one in rows)
    broken = sum(round(one["vram_violation_rate"] * one["jobs"]) for one in rows)
    highest = max(one["highest_bytes"] for one in rows) / MIB
    failed = sum(one["failed_moves"] for one in rows)
    return (
        f"After each of the {jobs} jobs the node was asked what it holds: in {broken} of them a "
        f"plan or the node was above the memory (of {ROOM_FOR_TWO / MIB:.0f} MiB at most "
        f"{highest:.0f} were held). {failed} loads or unloads failed."
    )


def _planner(rows: Sequence[Row]) -> str:
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
    heads = ["looking ahead", "steps right, %", "seconds", "waiting for models"]
    heads += ["all loads, seconds", "models loaded", "of them ahead"]
    times = ("seconds", "waiting", "loading", "models_swapped_in")
    lines = [
        [title, _percent(one["avg_score"])]
        + [_interval(one[time], 2) for time in times]
        + [f"{one['ahead_swaps']['value']:.2f}"]
        for title, one in (("not at all", rows[BASELINE]), ("one layer", rows[AHEAD]))
    ]
    differences = (
        f"Differences: {_signed(pair['waiting'], 2)} s of waiting (Wilcoxon, "
        f"p {_equals(pair['p']['waiting'])}), {_signed(pair['seconds'], 2)} s in all "
        f"(p {_equals(pair['p']['seconds'])}), {_points(pair['avg_score'])} points of steps "
        f"right; n = {pair['seconds']['n']} jobs of {pair['seconds']['clusters']} templates. "
        "p-values are corrected (Holm) for the number of modes."
    )
    return _text(*_grid(heads, lines), differences)


def mix(result: Result) -> str:
    """Tabulate orders of questions and weights of loading."""
    found = result["mixed"]
    rows = found["rows"]
    usual = next(one for one in found["orders"] if one["lambda_switch"] == USUAL_LAMBDA)
    broken = sum(one["vram_violations"] for one in rows)
    turns = (
        f"n = {rows[0]['seconds']['n']} questions in each row. Turns instead of groups cost "
        f"{_signed(usual['seconds'], 2)} s and {_signed(usual['models_swapped_in'], 2)} loads "
        f"per question at λ_switch {USUAL_LAMBDA:g} (Wilcoxon, p {_equals(usual['p_seconds'])}). "
        f"The memory was broken {broken} times."
    )
    heads = ["order", "λ_switch", "right, %", "models loaded per question", "seconds"]
    against = [f"λ_switch, in turns, less {USUAL_LAMBDA:g}", "right, points", "models loaded"]
    against += ["seconds"]
    return _text(
        *_grid(heads, ([one["mix"], *_weighed(one, _percent, _interval)] for one in rows)),
        turns,
        "",
        *_grid(against, (_weighed(one, _points, _signed) for one in found["weights"])),
    )


def _weighed(one: Row, share: Callable[[Row], str], amount: Callable[[Row, int], str]) -> list[str]:
    cells = [f"{one['lambda_switch']:g}", share(one["avg_score"])]
    return [*cells, amount(one["models_swapped_in"], 2), amount(one["seconds"], 2)]


def replayed(result: Result) -> str:
    """Tabulate the plans of replayed jobs."""
    found = result["replayed"]
    heads = ["mode", "steps right, %", "short of any model, points", "objective"]
    heads += ["short of hindsight", "models loaded", "plans above the memory, %"]
    heads += ["models per job"]
    first = found["rows"][0]
    planner = next(one for one in found["rows"] if one["mode"] == "model")
    counts = (
        f"{first['jobs']} jobs, {first['avg_score']['n']} steps, {first['plans']} plans, "
        f"{first['avg_score']['clusters']} templates. Of {_percent(found['oracle'])} % of the "
        f"steps some model is right. The planning model wrote {planner['own_plans']} of its "
        f"{planner['plans']} plans itself."
    )
    return _text(*_grid(heads, map(_replayed, found["rows"])), counts)


def _replayed(one: Row) -> list[str]:
    cells = [one["mode"], _percent(one["avg_score"]), _points(one["oracle_gap"])]
    cells += [_interval(one["objective"], 3), _interval(one["hindsight_gap"], 3)]
    cells += [_interval(one["models_swapped_in"], 2), _percent(one["vram_violation_rate"], 1)]
    return [*cells, f"{one['active_models']['value']:.2f}"]


def uneven(result: Result) -> str:
    """Tabulate plans where the memory lies between one model and two."""
    heads = ["mode", "steps right, %", "objective", "models loaded", "plans above the memory, %"]
    rows = result["replayed"]["uneven"]
    lines = [
        [
            one["mode"],
            _percent(one["avg_score"]),
            _interval(one["objective"], 3),
            _interval(one["models_swapped_in"], 2),
            _percent(one["vram_violation_rate"], 1),
        ]
        for one in rows
    ]
    first = rows[0]
    counts = f"{first['objective']['n']} jobs, {first['vram_violation_rate']['n']} plans."
    return _text(*_grid(heads, lines), counts)


def differ(result: Result) -> str:
    """Tabulate who was better where two modes chose different models."""
    found = result["replayed"]
    heads = ["modes", "given to another model, %", "with the same memory, %"]
    heads += ["steps that differ", "only the first right, only the second"]
    heads += ["difference, points", "p", "jobs won, lost"]
    models = [name for name in found["use"][0] if name != "mode"]
    shares = ([one["mode"], *(f"{100 * one[name]:.0f}" for name in models)] for one in found["use"])
    return _text(
        *_grid(heads, map(_differ, [found["predecessor"], *found["pairs"]])),
        "Share of the steps that each model is given, %:",
        "",
        *_grid(["mode", *models], shares),
    )


def _differ(one: Row) -> list[str]:
    cells = [f"{one['mode']} beside {one['other']}", _percent(one["routing_divergence"])]
    cells.append(_percent(one["same_memory_divergence"]))
    where = one["differ"]
    if where:
        cells += [str(where["n"]), f"{where['only_ours']}, {where['only_theirs']}"]
        few = where["difference"]["clusters"] < LEAST_CLUSTERS  # no interval can be drawn of them
        cells += ["–" if few else _points(where["difference"]), _p(one["p"]["right"])]
    else:
        cells += ["0", "–", "–", "–"]
    return [*cells, f"{one['jobs_won']}, {one['jobs_lost']}"]


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table with an empty line after it."""
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _text(*lines: str) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _equals(value: float) -> str:
    found = _p(value)
    return found if found.startswith("<") else f"= {found}"


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
    "uneven": uneven,
    "differ": differ,
}
