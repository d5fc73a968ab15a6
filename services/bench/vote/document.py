"""The tables of docs/quality.md, written from vote.json and from nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
AT_MOST = (
    "*At most*: what would be saved without changing a winner if it were known of each question "
    "who settles it with the fewest tokens. No order of asking saves more."
)
ROUTERS = ("best of the task (told the task)", "nearest-neighbour router")


def verdict(result: Result) -> str:
    """Say whether the best strategy beats the best single model, and what would have been seen."""
    least = result["smallest_difference"]
    best = max(result["strategies"], key=lambda one: _get(one["accuracy"], "value"))
    rivals = [one for one in result["baselines"] if one["name"] in ROUTERS]
    told = "; ".join(
        f"{one['name']} {_share(one['accuracy'])} with {one['tokens']:.0f}" for one in rivals
    )
    return (
        f"**{result['verdict']}**\n\n"
        f"With {least['n']:,} items, a difference of {least['value']:.1%} in accuracy is seen with "
        f"a probability of {least['power']:.0%} (McNemar, p < {least['alpha']:.2g} after the "
        "correction).\n\n"
        f"Voting is not the only way to do better than one model for everything. {best['name']} "
        f"answers {_share(best['accuracy'])} right with {best['tokens']:.0f} tokens a question; "
        f"sending each question to a single model: {told}. A vote needs nobody to know the task.\n"
    )


def strategies(result: Result) -> str:
    """Tabulate every strategy, then what it is compared with."""
    return "\n".join(
        [
            *_rows(result["strategies"]),
            "",
            "Beside them, on the same items:",
            "",
            *_rows(result["baselines"]),
            "",
        ]
    )


def tasks(result: Result) -> str:
    """Tabulate accuracy by task, with Wilson's intervals."""
    rows = [*result["strategies"], *result["baselines"]]
    names = list(rows[0]["tasks"])
    return "\n".join(
        [
            f"| answered by | {' | '.join(names)} |",
            f"|---|{'---:|' * len(names)}",
            *(
                f"| {one['name']} | "
                + " | ".join(_share(one["tasks"][task]) for task in names)
                + " |"
                for one in rows
            ),
            "",
            f"Each of {rows[0]['tasks'][names[0]]['n']} items.",
            "",
        ]
    )


def live(result: Result) -> str:
    """Tabulate strategies that ask again; what was not measured is named."""
    found = result["live"]
    if not found:
        return "Not measured yet. `make bench-vote` does.\n"
    flips = found["flips"]
    lines = [*_rows(found["rows"]), ""]
    if flips["items"]:
        lines.append(
            f"Of {flips['items']} debates {flips['wrong_to_right']} turned a wrong majority of "
            f"round 0 into a right one, and {flips['right_to_wrong']} a right one into a wrong one."
        )
    if found["missing"]:
        lines.append(f"Not measured: {', '.join(found['missing'])}.")
    return "\n".join([*lines, ""])


def stopping(result: Result) -> str:
    """Tabulate the stop rules: replayed on recorded ballots, then live."""
    lines = [
        "| rule | vote | voters | items | tokens saved | winners changed | stopped | at most |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['rule']} | {one['strategy']} | {one['electorate']} | {one['items']:,} "
        f"| {one['saved_share']:.1%} | {one['changed']} "
        f"({_share(one['changed_share'], digits=2)}) | {one['stopped'] / one['items']:.0%} "
        f"| {_most_saved(one)} |"
        for one in result["stopping"]["replayed"]
    ]
    lines += ["", AT_MOST]
    checks = result["stopping"]["live"]
    if checks:
        lines += [
            "",
            "Live, on the running mesh, where all members start at once and losers are cancelled:",
            "",
            "| rule | items | tokens saved | the mesh's own estimate | winners changed |",
            "|---|---:|---:|---:|---:|",
        ]
    for one in checks:
        saved = 1 - one["tokens"] / one["tokens_of_all"]
        lines.append(
            f"| {one['rule']} | {one['items']} | {saved:.1%} "
            f"| {one['estimated_saving'] / one['tokens_of_all']:.1%} | {one['changed']} |"
        )
    return "\n".join([*lines, ""])


def _most_saved(one: Result) -> str:
    return f"{one['most_saved_share']:.1%}" if one.get("most_saved_share") else "–"


def confidence(result: Result) -> str:
    """Tabulate calibration and abstention, and one reliability curve."""
    lines = [
        "| strategy | calibration error | Brier | answered at α = 5 % | wrong among these |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in result["confidence"]:
        kept = one["abstention"]
        wrong = _share(_estimate(kept["error"])) if kept["error"] else "–"
        lines.append(
            f"| {one['strategy']} | {_number(_estimate(one['error']))} "
            f"| {_number(_estimate(one['brier']))} | {_share(_estimate(kept['coverage']))} "
            f"| {wrong} |"
        )
    first = result["confidence"][0]
    lines += ["", f"By task, each with a threshold of its own ({first['strategy']}):", ""]
    lines += ["| task | answered | wrong among these |", "|---|---:|---:|"]
    for task, kept in first["by_task"].items():
        wrong = _share(_estimate(kept["error"])) if kept["error"] else "nothing is promised"
        lines.append(f"| {task} | {_share(_estimate(kept['coverage']))} | {wrong} |")
    lines += ["", f"Reliability curve of {first['strategy']}:", ""]
    lines += ["| said | items | right |", "|---|---:|---:|"]
    for one in first["curve"]:
        right = _estimate(one["right"])
        lines.append(f"| {one['confidence']:.1%} | {right['n']:,} | {_share(right)} |")
    return "\n".join([*lines, ""])


def correlation(result: Result) -> str:
    """Tabulate how the members' errors correlate."""
    pairs = {(one["one"], one["other"]): one for one in result["correlation"]}
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    lines = [f"| | {' | '.join(names[1:])} |", f"|---|{'---:|' * (len(names) - 1)}"]
    for row in names[:-1]:
        cells = [f"{pairs[row, column]['value']:.2f}" if (row, column) in pairs else ""
                 for column in names[1:]]  # fmt: skip
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def setting(result: Result) -> str:
    """Say what was asked, of whom, and on what machine."""
    study, machine = result["study"], result["machine"]
    return (
        f"{study['test']} held-out items of each of {len(study['tasks'])} tasks, "
        f"{study['calibration']} others of each to learn from, seed {study['seed']}; "
        f"{machine['setup']}. Measured {machine['measured_at'][:10]} on {machine['cores']} cores "
        f"of {machine['processor']}, which did other work as well.\n"
    )


SECTIONS: Mapping[str, Callable[[Result], str]] = {
    "setting": setting,
    "verdict": verdict,
    "strategies": strategies,
    "tasks": tasks,
    "live": live,
    "stopping": stopping,
    "confidence": confidence,
    "correlation": correlation,
}
"""Sections of the document by the names of their marks."""


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = (
        "right",
        "n",
        "tokens",
        "seconds",
        "agreement",
        "n_eff",
        "only it / only the best model",
        "difference",
        "p (Holm)",
    )
    lines = [
        f"| answered by | {' | '.join(columns)} |",
        f"|---|{'---:|' * len(columns)}",
    ]
    for one in rows:
        agreement = f"{one['agreement']:.2f}" if one["agreement"] else "–"
        votes = f"{one['effective_votes']:.1f}" if one["effective_votes"] else "–"
        lines.append(
            f"| {one['name']} | {_share(one['accuracy'])} | {_get(one['accuracy'], 'n'):,} "
            f"| {one['tokens']:.0f} | {one['seconds']:.2f} "
            f"| {agreement} | {votes} | {_against(one['against'])} |"
        )
    return lines


def _against(against: Mapping[str, Any] | None) -> str:
    if against is None:
        return "– | – | –"
    difference = _estimate(against["difference"])
    return (
        f"{against['only_ours']} / {against['only_theirs']} | {difference['value']:+.1%} "
        f"[{difference['low']:+.1%}, {difference['high']:+.1%}] | {against['p_corrected']:.2g}"
    )


def _estimate(value: Any) -> Mapping[str, Any]:
    """Read an estimate, which JSON keeps as a list or as a mapping."""
    if isinstance(value, Mapping):
        return value
    return dict(zip(("value", "low", "high", "n"), value, strict=True))


def _get(estimate: Any, field: str) -> Any:
    return _estimate(estimate)[field]


def _share(estimate: Any, digits: int = 1) -> str:
    read = _estimate(estimate)
    value, low, high = (f"{100 * read[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}] %"


def _number(estimate: Any) -> str:
    read = _estimate(estimate)
    return f"{read['value']:.3f} [{read['low']:.3f}, {read['high']:.3f}]"
