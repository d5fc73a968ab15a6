"""The section of docs/quality.md about workflows, from workflows.json and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
_TITLES = {
    "practised": "Jobs of which every step is one that the pocket models practise",
    "beyond": "Jobs with a step that they never practised: functions of a result, products, "
    "reasoning about results",
}


def setting(result: Result) -> str:
    """Say what was asked."""
    study, machine = result["study"], result["machine"]
    return (
        f"{study['test']} test jobs of {study['suite']}, {study['calibration']} others to choose "
        f"specialists by, seed {study['seed']}; {machine['setup']}. Measured "
        f"{machine['measured_at'][:10]} on {machine['cores']} cores of {machine['processor']}.\n"
    )


def steps(result: Result) -> str:
    """Tabulate by model and task type how many steps are right, given right results."""
    lines = []
    for reach, rows in result["steps"].items():
        names = [name for name in rows[0]["right"] if rows[0]["right"][name]]
        counts = (f"{name} ({rows[0]['right'][name]['n']})" for name in names)
        lines += [
            f"{_TITLES[reach]}:",
            "",
            f"| model | {' | '.join(counts)} |",
            f"|---|{'---:|' * len(names)}",
            *(_row(one, names, _best(rows, names)) for one in rows),
            "",
        ]
    chosen = ", ".join(f"{task} {model}" for task, model in result["specialists"].items())
    lines += [f"Best by the calibration jobs: {chosen}.", ""]
    return "\n".join(lines)


def jobs(result: Result) -> str:
    """Tabulate how many steps and whole jobs are right when every step reads earlier answers."""
    reaches = list(result["jobs"])
    first = result["jobs"][reaches[0]][0]["right"], result["jobs"][reaches[1]][0]["right"]
    heads = [
        f"{what}, {reach} ({right[what]['n']})"
        for reach, right in zip(reaches, first, strict=True)
        for what in ("steps", "jobs")
    ]
    lines = [f"| done by | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for place, one in enumerate(result["jobs"][reaches[0]]):
        cells = [
            _share(result["jobs"][reach][place]["right"][what])
            for reach in reaches
            for what in ("steps", "jobs")
        ]
        lines.append(f"| {one['name']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _verdict(result["verdict"]), ""])


SECTIONS: Mapping[str, Callable[[Result], str]] = {"setting": setting, "steps": steps, "jobs": jobs}


def _best(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Mapping[str, float]:
    return {name: max(one["right"][name]["value"] for one in rows) for name in names}


def _row(one: Mapping[str, Any], names: Sequence[str], best: Mapping[str, float]) -> str:
    cells = []
    for name in names:
        text = _share(one["right"][name])
        is_best = one["right"][name]["value"] == best[name] > 0.0
        cells.append(f"**{text}**" if is_best else text)
    return f"| {one['name']} | {' | '.join(cells)} |"


def _share(estimate: Mapping[str, float]) -> str:
    value, low, high = (f"{100 * estimate[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}] %"


def _verdict(verdict: Mapping[str, Any]) -> str:
    return (
        f"Of {verdict['jobs']} jobs, specialists finish {verdict['specialists_done']} and "
        f"{verdict['best_single']}, the best single model, {verdict['best_single_done']} "
        f"(McNemar exact, p = {verdict['p_value']:.2g})."
    )
