"""The tables of docs/planning.md about splits, written from decompose.json alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
SHARES = ("kept", "precision", "recall", "dependency_precision", "dependency_recall")


def splits(result: Result) -> str:
    """Tabulate every mode on all questions, and on those written when the rules were done."""
    machine = result["machine"]
    return "\n".join(
        [
            *_table(result["modes"], timed=True),
            "",
            "On the questions that were written when the rules were done:",
            "",
            *_table(result["later"], timed=True),
            "",
            (
                f"Measured {machine['measured_at'][:10]} on {machine['cores']} cores of "
                f"{machine['processor']}; {machine['setup']}."
            ),
            "",
        ]
    )


def planners(result: Result) -> str:
    """Tabulate the models one by one, each asked for every question."""
    return "\n".join([*_table(result["planners"], timed=False), ""])


def _table(rows: Sequence[Mapping[str, Any]], *, timed: bool) -> list[str]:
    columns = ["split by", "kept whole", "splits right", "splits found", "dependencies right"]
    columns += ["dependencies found", "by a model"]
    columns += ["ms (median, slowest)"] if timed else []
    return [
        f"| {' | '.join(columns)} |",
        f"|---|{'---:|' * (len(columns) - 1)}",
        *(f"| {' | '.join(_cells(row, timed))} |" for row in rows),
    ]


def _cells(row: Mapping[str, Any], timed: bool) -> list[str]:
    cells = [row["mode"], *(_share(row[name]) for name in SHARES), str(row["by_model"])]
    took = f"{row['milliseconds']:.0f}, {row['slowest_milliseconds']:.0f}"
    return [*cells, took] if timed else cells


def _share(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "–"
    low, high = 100 * found["low"], 100 * found["high"]
    return f"{100 * found['value']:.1f} [{low:.1f}, {high:.1f}] % of {found['n']:.0f}"


SECTIONS: Mapping[str, Callable[[Result], str]] = {"splits": splits, "planners": planners}
