"""What pictures of plans share: the font, the width of texts, colours, and equal bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final, NamedTuple

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

FONT: Final = "DejaVu Sans"
"""It comes with matplotlib, so that widths are the same on every machine."""
POINTS_PER_INCH: Final = 72.0
LINE: Final = 1.35
"""Height of a line, in font sizes."""
DOTS_PER_INCH: Final = 150.0
MOST_DOTS: Final = 20_000
"""Along a side: more would take gigabytes."""

# Okabe and Ito's colours, which the colour-blind can tell apart ("Color Universal Design", 2008).
BLUE, VERMILION, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#6B6B6B", "#000000"

STYLE: Final = {
    "font.family": [FONT],
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and selected
    "svg.hashsalt": "quorate",
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a question is a dollar sign
}
METADATA: Final = {
    "svg": {"Date": None, "Creator": "Quorate"},
    "png": {"Software": "Quorate"},
    "pdf": {"CreationDate": None, "Creator": "Quorate"},
}


class Drawn(NamedTuple):
    """A picture's bytes, and the characters in it that its font lacks and shows as boxes."""

    data: bytes
    lost: str


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with our settings, whatever the user's matplotlibrc says."""
    with warnings.catch_warnings(), matplotlib.style.context(["default", STYLE]):
        # What is lost is told by `saved`, once and with the file's name.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def sheet(width: float, height: float) -> Figure:
    """Make an empty white figure; both in inches."""
    return Figure(figsize=(width, height), facecolor="white")


def saved(figure: Figure, kind: str, texts: Sequence[str]) -> Drawn:
    """Give a figure as a file of a kind, "svg", "png" or "pdf", equal bytes for equal figures.

    `texts` are what is written in it, to find what the font lacks. Viewers of SVG have fonts of
    their own, so that nothing is lost there.
    """
    longest = max(figure.get_size_inches())
    target = io.BytesIO()
    figure.savefig(
        target,
        format=kind,
        dpi=min(DOTS_PER_INCH, MOST_DOTS / longest),
        metadata=METADATA[kind],
    )
    lost = "" if kind == "svg" else _missing("".join(texts))
    return Drawn(target.getvalue(), lost)


@cache
def _file(bold: bool) -> str:
    return findfont(FontProperties(family=FONT, weight="bold" if bold else "normal"))


def _missing(text: str) -> str:
    known = get_font(_file(bold=False)).get_charmap()
    return "".join(sorted({one for one in text if ord(one) not in known and not one.isspace()}))


def width_of(text: str, points: float, *, bold: bool = False) -> float:
    """Give the width of a text in inches; `points` is the size of its font."""
    font = get_font(_file(bold))
    font.set_size(points, POINTS_PER_INCH)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64.0 / POINTS_PER_INCH


def line_height(points: float) -> float:
    """Give the height of a line in inches."""
    return points * LINE / POINTS_PER_INCH


def wrapped(
    text: str, points: float, width: float, most: int | None = None, *, bold: bool = False
) -> list[str]:
    """Break a text into lines of at most `width` inches; what is over `most` lines ends in "…"."""
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest:
        fits = _fitting(rest, points, width, bold=bold)
        if most is not None and len(lines) == most - 1 and fits < len(rest):
            return [*lines, _shortened(rest, points, width, bold=bold)]
        # Between words where that is possible, else within a word that is longer than the line.
        space = rest.rfind(" ", 0, fits + 1) if fits < len(rest) else -1
        end = space if space > 0 else fits
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return lines


def _fitting(text: str, points: float, width: float, *, bold: bool) -> int:
    """Give how many characters fit, at least one, by halving."""
    least, most = 1, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if width_of(text[:middle], points, bold=bold) <= width:
            least = middle
        else:
            most = middle - 1
    return least


def _shortened(text: str, points: float, width: float, *, bold: bool) -> str:
    fits = _fitting(text, points, width - width_of("…", points, bold=bold), bold=bold)
    return text[:fits].rstrip() + "…"
