"""The plans that none beats, as a picture: how long each takes, and how often it is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.cli.ask_view import one_line
from quorate.cli.plan_canvas import BLACK, BLUE, VERMILION, Drawn, drawing, saved, sheet, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from quorate.client.plans import ParetoPoint

WIDTH, HEIGHT = 7.5, 5.0
SMALLEST, LARGEST = 40.0, 460.0
"""Areas of the marks for the fewest and the most tokens, in square points."""


def draw(points: Sequence[ParetoPoint], question: str, kind: str) -> Drawn:
    """Draw seconds against P(majority right), tokens as areas, as "svg", "png" or "pdf".

    Equal points give equal bytes. The numbers are those of the table.
    """
    with drawing():
        figure = sheet(WIDTH, HEIGHT)
        axes = figure.add_axes((0.1, 0.13, 0.62, 0.74))
        _scatter(axes, points)
        axes.set_xlabel("time until the last part is answered, loads included (s)")
        axes.set_ylabel("P(a part's majority is right), mean over parts (0 to 1)")
        title = wrapped(one_line(question, 400), 10.0, WIDTH - 0.8, 2, bold=True)
        figure.text(0.04, 0.97, "\n".join(title), fontsize=10, fontweight="bold", va="top")
        _legend(axes, points)
        return saved(figure, kind, title)


def area(tokens: int, most: int) -> float:
    """Give the area of a mark in square points; it grows with the tokens."""
    return SMALLEST + (LARGEST - SMALLEST) * (tokens / most if most > 0 else 0.0)


def _scatter(axes: Axes, points: Sequence[ParetoPoint]) -> None:
    most = max((point.tokens for point in points), default=0)
    for number, point in enumerate(points, start=1):
        axes.scatter(
            [point.seconds],
            [point.reliability],
            s=[area(point.tokens, most)],
            marker="D" if point.chosen else "o",
            facecolor=VERMILION if point.chosen else BLUE,
            edgecolor=BLACK,
            alpha=0.75,
            zorder=3 if point.chosen else 2,
        )
        axes.annotate(
            str(number),
            (point.seconds, point.reliability),
            textcoords="offset points",
            xytext=(0, area(point.tokens, most) ** 0.5 * (0.72 if point.chosen else 0.5) + 3),
            ha="center",
            fontsize=9,
            zorder=4,
        )
    axes.margins(x=0.12, y=0.2)  # numbers stand above their marks
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def _legend(axes: Axes, points: Sequence[ParetoPoint]) -> None:
    """Explain the marks by drawing them where no data are."""
    tokens = sorted({point.tokens for point in points})
    most = tokens[-1] if tokens else 0
    sizes = tokens if len(tokens) < 3 else [tokens[0], tokens[len(tokens) // 2], tokens[-1]]
    for count in sizes:
        axes.scatter(
            [], [], s=[area(count, most)], facecolor=BLUE, edgecolor=BLACK, alpha=0.75,
            label=f"{count} tokens",
        )  # fmt: skip
    if any(point.chosen for point in points):
        axes.scatter([], [], s=[90.0], marker="D", facecolor=VERMILION, edgecolor=BLACK,
                     alpha=0.75, label="this plan")  # fmt: skip
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.03, 1.0), frameon=False, labelspacing=1.7, fontsize=9,
        title="size of a mark", title_fontsize=9, alignment="left",
    )  # fmt: skip
