"""Tells the user how a mesh is starting: a table that fills on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from quorate.cli.supervision.readiness import Readiness
    from quorate.cli.supervision.supervisor import Reporter

STYLES = {
    "ready": "green",
    "on demand": "cyan",
    "failed": "bold red",
    "loading": "yellow",
    "restarting": "yellow",
}


class LineReporter:
    """One line for each thing that changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[tuple[str, str], str] = {}

    def service(self, key: str, said: str) -> None:
        """Print where a service can be called, or how it ended."""
        self._console.print(f"{key}: {said}", markup=False, soft_wrap=True)

    def models(self, models: Sequence[Readiness]) -> None:
        """Print the models whose state changed."""
        for model in models:
            if self._states.get((model.node, model.model)) != model.state:
                self._states[model.node, model.model] = model.state
                self._console.print(
                    f"node-{model.node}: {model.model} is {model.state}", markup=False
                )


class LiveReporter:
    """A table of services and models that is redrawn as they come up."""

    def __init__(self, console: Console) -> None:
        self._services: dict[str, str] = {}
        self._models: dict[str, list[Readiness]] = {}
        self._live = Live(console=console, transient=True, get_renderable=self._draw)

    def __enter__(self) -> LiveReporter:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def service(self, key: str, said: str) -> None:
        """Show where a service can be called, or how it ended."""
        self._services[key] = said

    def models(self, models: Sequence[Readiness]) -> None:
        """Show the states of the models."""
        grouped: dict[str, list[Readiness]] = {}
        for model in models:
            grouped.setdefault(f"node-{model.node}", []).append(model)
        self._models = grouped

    def _draw(self) -> Table:
        known = [model for models in list(self._models.values()) for model in models]
        ready = sum(model.ready for model in known)
        title = f"Starting · {ready} of {len(known)} models ready" if known else "Starting"
        table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in ("service", "address", "models"):
            table.add_column(column, header_style="dim")
        for key, said in list(self._services.items()):  # it may be redrawn in another thread
            table.add_row(key, said, states_text(self._models.get(key, ())))
        return table


def states_text(models: Sequence[Readiness]) -> Text:
    """Show models with their states in colour."""
    parts = [
        Text(f"{model.model} {model.state}", style=STYLES.get(model.state, "dim"))
        for model in models
    ]
    return Text(" · ").join(parts)


@contextmanager
def reporter(console: Console) -> Iterator[Reporter]:
    """Give the reporter that fits the console, for the block."""
    if console.is_terminal:
        with LiveReporter(console) as live:
            yield live
    else:
        yield LineReporter(console)
