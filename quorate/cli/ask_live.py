"""A question being answered, as a table on a terminal that fills as the models speak and vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from quorate.cli.ask_lines import decision, layer
from quorate.cli.ask_view import (
    MemberView,
    PartView,
    QuestionView,
    moving,
    one_line,
    verdict,
)
from quorate.client.results import BallotStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

BAR_COLUMNS = 24
MARKS = {
    BallotStatus.VALID: ("✓", "green"),
    BallotStatus.ABSTAINED: ("–", "yellow"),
    BallotStatus.FAILED: ("✗", "red"),
    BallotStatus.TIMED_OUT: ("✗", "red"),
    BallotStatus.CANCELLED: ("∅", "dim"),
    BallotStatus.UNSPECIFIED: ("?", "dim"),
}


def draw(view: QuestionView, columns: int) -> RenderableType:
    """Draw all parts of a question, and its merged answer as it is being written."""
    drawn: list[RenderableType] = [_part(part, columns) for part in view.parts.values()]
    if not drawn:
        drawn.append(Text("planning …", style="dim"))
    if view.answer is None:
        drawn += _planned(view)
    if view.synthesis and view.answer is None:
        drawn.append(Text.assemble(("merging  ", "dim"), view.synthesis))
    return Group(*drawn)


def _planned(view: QuestionView) -> list[RenderableType]:
    """Show the layer that is at work and what is being loaded; what is done has had its time."""
    drawn: list[RenderableType] = []
    if view.step:
        drawn.append(Text(layer(view.step), style="dim"))
    drawn += [
        Text(moving(move), style="red" if move.problem else "yellow")
        for move in view.moves.values()
        if move.problem or not move.done
    ]
    return drawn


def _part(part: PartView, columns: int) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(width=1)
    names = [member.name for member in part.members.values()]
    width = max(map(len, names), default=8)
    table.add_column(width=width, no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for member in part.ordered():
        table.add_row(*_member(member, columns - width - 6))
    return Group(_title(part), table, *_standings(part), Text(""))


def _title(part: PartView) -> Text:
    needs = f" (needs {', '.join(part.depends_on)})" if part.depends_on else ""
    return Text.assemble((part.id, "bold cyan"), " ", one_line(part.text, 200), (needs, "dim"))


def _member(member: MemberView, columns: int) -> tuple[Text, Text, Text]:
    ballot = member.ballot
    if ballot is None:
        # The end of what it says is the news.
        flat = " ".join(member.text.split())
        return Text("·", style="dim"), Text(member.name), Text(flat[-columns:], style="dim")
    mark, style = MARKS[ballot.status]
    said = Text(verdict(ballot), style="" if ballot.status is BallotStatus.VALID else style)
    if ballot.status is BallotStatus.VALID:
        said.append(f"  {ballot.confidence:.2f}", style="dim")
    return Text(mark, style=style), Text(member.name), said


def _standings(part: PartView) -> list[RenderableType]:
    # Of all that were asked: who says nothing usable still counts.
    asked = max(len(part.members), sum(standing.votes for standing in part.standings), 1)
    most = max((standing.votes for standing in part.standings), default=0)
    drawn: list[RenderableType] = []
    for standing in part.standings:
        bar = "█" * max(1, round(standing.votes / asked * BAR_COLUMNS))
        style = "green" if standing.votes == most else "blue"
        drawn.append(
            Text.assemble(
                "  ", (f"{bar:<{BAR_COLUMNS}}", style), f" {standing.votes}  ",
                one_line(standing.answer, 48),
            )
        )  # fmt: skip
    if part.certificate:
        drawn.append(Text(f"  mode certified (δ = {part.certificate.delta:g})", style="green"))
    if part.decided:
        drawn.append(Text.assemble(("  decided  ", "dim"), (decision(part.decided), "bold")))
    elif part.outstanding:
        drawn.append(Text(f"  {part.outstanding} more to vote", style="dim"))
    return drawn
