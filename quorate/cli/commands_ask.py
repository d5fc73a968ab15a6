"""Commands that ask."""

from __future__ import annotations

import typer

from quorate.cli.ask_options import AskOptions
from quorate.cli.exits import reported
from quorate.cli.fields import with_fields_of
from quorate.cli.options import HomeOption, JsonOption, home_of
from quorate.cli.questions import given, text_of

app = typer.Typer()
PANEL = "Questions"


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: quorate ask "What is 10% of 1000?" --strategy weighted --seed 7 --json',
)
@with_fields_of(AskOptions)
def ask(options: AskOptions) -> None:
    """Ask the mesh and watch it answer: tokens, ballots, the vote, and the answer with its quorum.

    With --json, one object is printed for each question, on one line.
    """
    with reported(as_json=options.as_json):
        from quorate.cli import ask as command

        code = command.ask(
            home_of(options.home),
            [text_of(question) for question in options.questions],
            given(options.asked()),
            timeout_seconds=options.timeout,
            as_json=options.as_json,
            tokens=not options.no_tokens,
        )
    raise typer.Exit(code)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate strategies")
def strategies(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the voting strategies of the running mesh."""
    with reported(as_json=as_json):
        from quorate.cli import look as command

        command.strategies(home_of(home), as_json=as_json)
