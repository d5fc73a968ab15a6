"""A plan as a picture: its parts from left to right, who answers each, and what is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from quorate.cli.ask_view import one_line
from quorate.cli.plan_canvas import (
    BLACK,
    BLUE,
    GREY,
    VERMILION,
    Drawn,
    drawing,
    line_height,
    saved,
    sheet,
    width_of,
    wrapped,
)
from quorate.cli.plan_layout import Layout, Place, lay_out
from quorate.cli.plan_legend import LEAST_WIDTH, Note, notes
from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from quorate.client.plans import Assignment, Plan, Subtask

MOST_PARTS: Final = 64
# Inches.
BOX_WIDTH: Final = 2.6
PADDING: Final = 0.09
BETWEEN_COLUMNS: Final = 0.75
BETWEEN_ROWS: Final = 0.22
MARGIN: Final = 0.3
# Points.
TITLE, HEAD, SMALL = 11.0, 9.5, 8.0
MOST_LINES: Final = 3
"""Of what a part asks: the tables have all of it."""


class Line(NamedTuple):
    """A line of text in a box, with another at its right end."""

    text: str
    points: float
    colour: str = BLACK
    bold: bool = False
    right: str = ""


class Box(NamedTuple):
    """A part as it is drawn; `loads` says that a model is loaded for it."""

    lines: Sequence[Line]
    loads: bool

    @property
    def height(self) -> float:
        """Give its height in inches."""
        return sum(line_height(line.points) for line in self.lines) + 2 * PADDING


def draw(plan: Plan, question: str, kind: str) -> Drawn:
    """Draw a plan as a file of a kind: "svg", "png" or "pdf".

    Equal plans give equal bytes. Raises InvalidRequest for more than `MOST_PARTS` parts.
    """
    if len(plan.subtasks) > MOST_PARTS:
        raise InvalidRequest.field(
            "--picture", f"{len(plan.subtasks)} parts", f"{MOST_PARTS} can be drawn",
            "Leave it out: the tables and --json show them all.",
        )  # fmt: skip
    with drawing():
        return _drawn(plan, question, kind)


def _drawn(plan: Plan, question: str, kind: str) -> Drawn:
    boxes = {one.id: _box(one, plan.voters(one.id)) for one in plan.subtasks}
    heights = {part: box.height for part, box in boxes.items()}
    needs = {one.id: one.depends_on for one in plan.subtasks}
    layout = lay_out(needs, heights, BETWEEN_ROWS)
    across = max(1, layout.columns) * (BOX_WIDTH + BETWEEN_COLUMNS) - BETWEEN_COLUMNS
    inner = max(across, LEAST_WIDTH)
    title = [
        Note(line, TITLE, bold=True)
        for line in wrapped(one_line(question, 400), TITLE, inner, 2, bold=True)
    ]
    below = notes(plan, inner)
    top, bottom = _extent(layout, heights)
    head = sum(note.height for note in title) + 0.15
    height = 2 * MARGIN + head + (top - bottom) + 0.25 + sum(note.height for note in below)
    figure = sheet(inner + 2 * MARGIN, height)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, inner + 2 * MARGIN), ylim=(0, height))
    axes.axis("off")
    _write_down(axes, title, height - MARGIN)
    at = Offset(MARGIN + (inner - across) / 2, height - MARGIN - head - top)
    _draw_lines(axes, layout, at)
    for part, box in boxes.items():
        _draw_box(axes, box, layout.places[part], at)
    _write_down(axes, below, MARGIN + sum(note.height for note in below))
    return saved(figure, kind, [text.get_text() for text in axes.texts])


class Offset(NamedTuple):
    """Where the layout's left end and height 0 lie on the sheet, in inches."""

    left: float
    level: float

    def x(self, column: int) -> float:
        """Give the left end of a column."""
        return self.left + column * (BOX_WIDTH + BETWEEN_COLUMNS)


def _extent(layout: Layout, heights: dict[str, float]) -> tuple[float, float]:
    tops = [place.middle + heights[part] / 2 for part, place in layout.places.items()]
    bottoms = [place.middle - heights[part] / 2 for part, place in layout.places.items()]
    passed = [place.middle for line in layout.lines.values() for place in line]
    return max([*tops, *passed], default=0.0), min([*bottoms, *passed], default=0.0)


def _box(subtask: Subtask, voters: Sequence[Assignment]) -> Box:
    inner = BOX_WIDTH - 2 * PADDING
    asked = wrapped(one_line(subtask.text, 400), SMALL, inner, MOST_LINES)
    lines = [
        *_head(subtask, inner),
        *(Line(text, SMALL) for text in asked),
        *(line for voter in voters for line in _voter(voter, inner)),
    ]
    return Box(lines, any(voter.load_first for voter in voters))


def _head(subtask: Subtask, inner: float) -> Iterator[Line]:
    """Write the part's id, and what kind of part it is beside it or, without room, below it."""
    tokens = f"{subtask.estimated_tokens} tokens" if subtask.estimated_tokens else ""
    about = " · ".join(filter(None, (subtask.task_type, subtask.difficulty, tokens)))
    first, *others = wrapped(subtask.id, HEAD, inner, bold=True)
    beside = width_of(first, HEAD, bold=True) + width_of(f"  {about}", SMALL) <= inner
    yield Line(first, HEAD, BLUE, bold=True, right=about if beside and not others else "")
    for line in others:
        yield Line(line, HEAD, BLUE, bold=True)
    if not beside or others:
        yield Line(wrapped(about, SMALL, inner, 1)[0], SMALL, GREY)


def _voter(voter: Assignment, inner: float) -> Iterator[Line]:
    """Write who answers; a name that leaves no room for its P goes over several lines."""
    chance = f"P {voter.reliability:.2f}" if voter.reliability else "P unknown"
    mark = "↓" if voter.load_first else "•"
    colour = VERMILION if voter.load_first else GREY
    room = inner - width_of(f"{mark}   {chance}", SMALL, bold=True)
    first, *others = wrapped(voter.member, SMALL, room, bold=True)
    yield Line(f"{mark} {first}", SMALL, colour, bold=True, right=chance)
    for line in others:
        yield Line(f"   {line}", SMALL, colour, bold=True)


def _draw_box(axes: Axes, box: Box, place: Place, at: Offset) -> None:
    left, bottom = at.x(place.column), at.level + place.middle - box.height / 2
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            BOX_WIDTH,
            box.height,
            boxstyle="round,pad=0,rounding_size=0.07",
            facecolor="#F7FAFC",
            edgecolor=VERMILION if box.loads else BLUE,
            linestyle=(0, (5, 2)) if box.loads else "solid",
            linewidth=1.3,
        )
    )
    level = bottom + box.height - PADDING
    for line in box.lines:
        level -= line_height(line.points)
        base = level + line_height(line.points) * 0.25
        axes.text(
            left + PADDING,
            base,
            line.text,
            fontsize=line.points,
            color=line.colour,
            fontweight="bold" if line.bold else "normal",
        )
        if line.right:
            colour = GREY if line.points > SMALL else line.colour
            right = left + BOX_WIDTH - PADDING
            axes.text(right, base, line.right, fontsize=SMALL, color=colour, ha="right")


def _draw_lines(axes: Axes, layout: Layout, at: Offset) -> None:
    for (parent, child), passed in layout.lines.items():
        stops = [layout.places[parent], *passed, layout.places[child]]
        path = _curve(stops, at)
        axes.add_patch(
            FancyArrowPatch(
                path=path, arrowstyle="-|>", mutation_scale=10, linewidth=1.1, color=GREY
            )
        )


def _curve(stops: Sequence[Place], at: Offset) -> Path:
    """Go level out of the parent, through every place that is passed, and into the child."""
    points = [(at.x(stops[0].column) + BOX_WIDTH, at.level + stops[0].middle)]
    codes = [Path.MOVETO]
    for stop in stops[1:]:
        x, y = points[-1]
        left, level = at.x(stop.column), at.level + stop.middle
        middle = (x + left) / 2
        points += [(middle, y), (middle, level), (left, level)]
        codes += [Path.CURVE4] * 3
        if stop is not stops[-1]:
            points.append((left + BOX_WIDTH, level))
            codes.append(Path.LINETO)
    return Path(points, codes)


def _write_down(axes: Axes, lines: Sequence[Note], top: float) -> None:
    for note in lines:
        top -= note.height
        axes.text(
            MARGIN,
            top + note.height * 0.25,
            note.text,
            fontsize=note.points,
            fontweight="bold" if note.bold else "normal",
            color=note.colour,
            va="baseline",
        )
