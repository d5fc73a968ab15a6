"""A plan as tables: its parts, who is chosen, what is loaded, and what was proved about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from quorate.cli import plan_matrix
from quorate.cli.ask_view import one_line
from quorate.cli.tables import table
from quorate.cli.terminal import brief, duration, size
from quorate.client.plans import Move

if TYPE_CHECKING:
    from rich.console import RenderableType

    from quorate.client.plans import (
        Estimate,
        MemoryUse,
        ParetoPoint,
        Plan,
        Residency,
        Routing,
        Subtask,
    )

BAR_COLUMNS = 20
CHOSEN = "*"


def draw(plan: Plan, columns: int) -> RenderableType:
    """Draw a plan for a terminal of a width; nothing in it is told by colour alone."""
    routing = plan.routing
    drawn = _section("parts", _parts(plan.subtasks), *_because(plan))
    if routing and routing.estimates:
        title = (
            f"worth: P(right) - {routing.lambda_token:g} x cost of its tokens"
            f"   ({CHOSEN} is chosen)"
        )
        drawn += _section(title, *plan_matrix.draw(plan, routing.estimates, columns))
    if plan.assignments:
        drawn += _section("who answers", _assignments(plan))
    if routing:
        drawn += _routing(routing)
    if plan.frontier:
        title = f"plans that none beats in P(majority), tokens and seconds   ({CHOSEN} is this one)"
        drawn += _section(title, _frontier(plan.frontier), *_beaten(plan.frontier))
    return Group(*drawn)


def _section(title: str, *content: RenderableType) -> list[RenderableType]:
    return [Text(title, style="bold"), *content, Text("")]


def _parts(subtasks: Iterable[Subtask]) -> Table:
    rows = table("part", "needs", "type", "level", "tokens", "asks", right=("tokens",))
    for subtask in subtasks:
        rows.add_row(
            subtask.id,
            ", ".join(subtask.depends_on) or "-",
            subtask.task_type or "-",
            subtask.difficulty or "-",
            str(subtask.estimated_tokens or "-"),
            Text(one_line(subtask.text, 400)),
        )
    return rows


def _because(plan: Plan) -> list[RenderableType]:
    split = f"split by {plan.decomposed_by}: " if plan.decomposed_by not in ("", "none") else ""
    said = f"{split or 'because '}{one_line(plan.reason, 400)}"
    return [Text(said, style="dim")] if plan.reason else []


def _assignments(plan: Plan) -> Table:
    estimates = _by_place(plan.routing.estimates if plan.routing else ())
    rows = table(
        "part", "model", "P(right)", "known from", "takes", "", right=("P(right)", "takes")
    )
    shown = ""
    for one in plan.assignments:
        estimate = estimates.get((one.subtask_id, one.node, one.model))
        rows.add_row(
            "" if one.subtask_id == shown else one.subtask_id,
            Text(one.member),
            f"{one.reliability:.2f}" if one.reliability else "-",
            _evidence(estimate),
            duration(estimate.seconds) if estimate and estimate.seconds else "-",
            Text("is loaded first", style="yellow") if one.load_first else "",
        )
        shown = one.subtask_id
    return rows


def _by_place(estimates: Iterable[Estimate]) -> dict[tuple[str, str, str], Estimate]:
    return {(one.subtask_id, one.node, one.model): one for one in estimates}


def _evidence(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.items:.3g} items" if estimate.items else "its card"


def _routing(routing: Routing) -> list[RenderableType]:
    drawn: list[RenderableType] = []
    if routing.residency:
        drawn += _section("loaded and unloaded", _moves(routing.residency))
    if routing.memory:
        drawn += _section("memory, after the plan", _memory(routing.memory))
    return drawn + _section("how it was found", _found(routing))


def _moves(moves: Iterable[Residency]) -> Table:
    rows = table("", "model", "memory", "takes", "", right=("memory", "takes"))
    for move in moves:
        remark = move.problem or ("ahead, for a later layer" if move.ahead else "")
        rows.add_row(
            Text(str(move.kind), style="yellow" if move.kind is Move.LOAD else "dim"),
            Text(f"{move.node}/{move.model}"),
            size(move.memory_bytes) if move.memory_bytes else "-",
            duration(move.seconds) if move.seconds else "-",
            Text(remark, style="red" if move.problem else "dim"),
        )
    return rows


def _memory(uses: Iterable[MemoryUse]) -> Table:
    rows = table("where", "used", "", "", right=("",))
    for use in uses:
        share = use.used_bytes / use.budget_bytes if use.budget_bytes else float(use.used_bytes > 0)
        full = min(BAR_COLUMNS, round(share * BAR_COLUMNS))
        over = use.used_bytes > use.budget_bytes
        rows.add_row(
            Text(use.pool),
            Text("█" * full + "░" * (BAR_COLUMNS - full), style="red" if over else "green"),
            f"{size(use.used_bytes)} of {size(use.budget_bytes)}",
            Text("too much", style="bold red") if over else _percent(share),
        )
    return rows


def _percent(share: float) -> str:
    return "<1%" if 0.0 < share < 0.01 else f"{share:.0%}"


def _found(routing: Routing) -> Table:
    rows = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("solved", Text(f"{solver(routing)} in {brief(routing.solve_seconds)}"))
    rows.add_row("status", routing.status or "-")
    rows.add_row("value", _value(routing))
    rows.add_row("weights", f"tokens {routing.lambda_token:g}, loading {routing.lambda_switch:g}")
    if routing.note:
        rows.add_row("note", Text(routing.note, style="yellow"))
    for violation in routing.violations:
        rows.add_row(Text("breaks", style="bold red"), Text(violation, style="bold red"))
    return rows


def solver(routing: Routing) -> str:
    """Name the mode, and what solved it where that is something else: "mip with HIGHS"."""
    if routing.solver_name in ("", "none", routing.mode):
        return routing.mode
    return f"{routing.mode} with {routing.solver_name}"


def _value(routing: Routing) -> str:
    gap = "" if routing.gap is None else f", gap {routing.gap:.2g}"
    if routing.bound is None:
        # Layers that look ahead overlap: each has a bound of its own, and they have none together.
        told = f"{gap} in each layer" if gap else "; no bound is known"
        return f"objective {routing.objective:.4g}{told}"
    return f"objective {routing.objective:.4g}, at most {routing.bound:.4g} is possible{gap}"


def _frontier(points: Sequence[ParetoPoint]) -> Table:
    columns = (
        "",
        "P(majority)",
        "tokens",
        "takes",
        "loads",
        "memory",
        "models",
        "λ token",
        "λ switch",
    )
    rows = table(*columns, right=columns)
    for number, point in enumerate(points, start=1):
        style = "bold green" if point.chosen else ""
        cells = (
            f"{CHOSEN if point.chosen else ''}{number}",
            f"{point.reliability:.3f}",
            str(point.tokens),
            duration(point.seconds),
            str(point.loads),
            size(point.memory_bytes),
            str(point.voters),
            f"{point.lambda_token:.3g}",
            f"{point.lambda_switch:.3g}",
        )
        rows.add_row(*(Text(cell, style=style) for cell in cells))
    return rows


def _beaten(points: Sequence[ParetoPoint]) -> list[RenderableType]:
    """Say which plan beats the one of the question's own settings, where one does."""
    return [
        Text(f"{number} beats *{place}: no less right, no more tokens or seconds", style="yellow")
        for place, chosen in enumerate(points, start=1)
        for number, other in enumerate(points, start=1)
        if chosen.chosen and beats(other, chosen)
    ]


def beats(one: ParetoPoint, other: ParetoPoint) -> bool:
    """Say whether a plan is nowhere worse than another and somewhere better."""
    worth = (one.reliability, -one.tokens, -one.seconds)
    others = (other.reliability, -other.tokens, -other.seconds)
    return worth != others and all(a >= b for a, b in zip(worth, others, strict=True))
