"""Commands that ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import Decompose, HomeOption, JsonOption, home_of
from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.client import Options

app = typer.Typer()
PANEL = "Questions"
STDIN = "-"
MOST_STDIN_BYTES = 4 * 2**20
"""What the longest question may have in UTF-8; an endless pipe must not fill the memory."""

DecomposeOption = Annotated[
    Decompose | None,
    typer.Option(help="How to split a question.", show_default="rules"),
]


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: quorate ask "What is 10% of 1000?" --strategy weighted --seed 7 --json',
)
def ask(
    questions: Annotated[
        list[str],
        typer.Argument(help="Questions, asked one after another; - reads one from stdin."),
    ],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="How votes are counted: see `quorate strategies`.", show_default="majority"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Makes the answer reproducible on the same mesh.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy; up to 5.", show_default="0")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of each ballot.", show_default="512")
    ] = None,
    max_models: Annotated[
        int | None, typer.Option(help="Most models to ask for each part.", show_default="all")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model may vote; may be given several times.")
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Only this node may vote; may be given several times.")
    ] = None,
    decompose: DecomposeOption = None,
    ground_truth: Annotated[
        str | None, typer.Option(help="The right answer, when it is known, to learn from.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each question.", min=0.001)] = 300.0,
    no_tokens: Annotated[
        bool, typer.Option("--no-tokens", help="Show ballots only, not what models say meanwhile.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Ask the mesh and watch it answer: tokens, ballots, the vote, and the answer with its quorum.

    With --json, one object is printed for each question, on one line.
    """
    given: dict[str, object | None] = {
        "strategy": strategy,
        "seed": seed,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "max_models": max_models,
        "models": model or None,
        "nodes": node or None,
        "decompose": decompose.value if decompose else None,
        "ground_truth": ground_truth,
    }
    with reported(as_json=as_json):
        from quorate.cli import ask as command

        code = command.ask(
            home_of(home),
            [_text(question) for question in questions],
            _given(given),
            timeout_seconds=timeout,
            as_json=as_json,
            tokens=not no_tokens,
        )
    raise typer.Exit(code)


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: quorate plan "Calculate 10% of 1000 then find best savings accounts" --json',
)
def plan(
    question: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    decompose: DecomposeOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show how a question would be split and who would answer, without asking it."""
    given: dict[str, object | None] = {"decompose": decompose.value if decompose else None}
    with reported(as_json=as_json):
        from quorate.cli import ask as command

        command.plan(home_of(home), _text(question), _given(given), as_json=as_json)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate strategies")
def strategies(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the voting strategies of the running mesh."""
    with reported(as_json=as_json):
        from quorate.cli import look as command

        command.strategies(home_of(home), as_json=as_json)


def _given(options: dict[str, object | None]) -> Options:
    """Keep the options that were given: the rest is the coordinator's to choose."""
    return {name: value for name, value in options.items() if value is not None}  # type: ignore[return-value]


def _checked(question: str) -> str:
    try:
        question.encode("utf-8")
    except UnicodeEncodeError as error:  # the shell's bytes, kept by Python as lone surrogates
        raise InvalidRequest(f"the question is not UTF-8 text: {error}") from error
    return question


def _text(question: str) -> str:
    """Read a question from stdin when it is "-"; raises InvalidRequest when it is no text."""
    if question != STDIN:
        return _checked(question)
    data = sys.stdin.buffer.read(MOST_STDIN_BYTES + 1)
    if len(data) > MOST_STDIN_BYTES:
        raise InvalidRequest(f"stdin holds more than {MOST_STDIN_BYTES} bytes; shorten the text")
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"stdin is not UTF-8 text: {error}") from error
