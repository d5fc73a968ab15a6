"""Commands that ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import (
    DebateTopology,
    Decompose,
    HomeOption,
    JsonOption,
    StopRule,
    home_of,
)
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
    samples: Annotated[
        int | None,
        typer.Option(
            help="Samples of each model, up to 64.", show_default="1; 5 for self_consistency"
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Rounds of a debate after the first answers, or layers of moa; up to 16.",
            show_default="2",
        ),
    ] = None,
    topology: Annotated[
        DebateTopology | None,
        typer.Option(
            help="Whose answers a debater reads: two neighbours' or all.", show_default="ring"
        ),
    ] = None,
    width: Annotated[
        list[int] | None,
        typer.Option(
            help="Candidates of a round of pacore; given once for each round.", show_default="4"
        ),
    ] = None,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Ask the cheapest model first, others as needed.")
    ] = False,
    min_agreement: Annotated[
        float | None,
        typer.Option(help="Least share of the ballots for the winner, 0 to 1.", show_default="0"),
    ] = None,
    confidence_threshold: Annotated[
        float | None,
        typer.Option(help="Ballots less confident than this abstain, 0 to 1.", show_default="0"),
    ] = None,
    error_risk: Annotated[
        float | None,
        typer.Option(
            help="Withhold answers that are wrong with more than this, 0 to 1.",
            show_default="always answer",
        ),
    ] = None,
    stop_rule: Annotated[
        StopRule | None,
        typer.Option(help="When to stop asking further models.", show_default="exact"),
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(
            help="Accepted probability that an early stop changes the winner, 0 to 1.",
            show_default="0",
        ),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option(help="Probability of a false certificate, 0 to 0.5.", show_default="0.05"),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="What the question is about.", show_default="told by its text"),
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Learn nothing from this, as in an evaluation.")
    ] = False,
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
        "samples": samples,
        "rounds": rounds,
        "topology": topology.value if topology else None,
        "widths": width or None,
        "cascade": cascade or None,
        "min_agreement": min_agreement,
        "confidence_threshold": confidence_threshold,
        "error_risk": error_risk,
        "stop_rule": stop_rule.value if stop_rule else None,
        "risk": risk,
        "delta": delta,
        "topic": topic,
        "frozen": frozen or None,
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
