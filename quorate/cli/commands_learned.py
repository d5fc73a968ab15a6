"""Commands about what was learned of the models, and about answers that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import HomeOption, JsonOption, home_of

app = typer.Typer()
weights = typer.Typer(
    help="Show, reset, export and import what the mesh has learned of its models.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]


@weights.command(epilog="Example: quorate weights show --topic math")
def show(
    topic: Annotated[
        str | None, typer.Option(help="Only this topic.", show_default="all of them")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show how reliable each model is on each topic, and how that is known.

    `right` and `wrong` count answers; old ones are forgotten slowly, so they are fractions. The
    estimate is the probability of a right answer on the topic. Consensus is weak evidence: it has
    rows of its own and no part in the estimate.
    """
    with reported(as_json=as_json):
        from quorate.cli import learned as command

        command.show(home_of(home), topic, as_json=as_json)


@weights.command(epilog="Example: quorate weights specialists")
def specialists(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Show which model is best at what: code, reasoning, math, creative, extraction and so on.

    These are the coordinator's own estimates, by which it chooses models for the parts of a
    question: what was learned from judged answers, and the models' cards where there are few.
    """
    with reported(as_json=as_json):
        from quorate.cli import specialists as command

        command.show(home_of(home), as_json=as_json)


@weights.command(epilog="Example: quorate weights reset --model atlas --yes")
def reset(
    model: Annotated[
        str, typer.Option(help="Only this model.", show_default="everything that was learned")
    ] = "",
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Forget what was learned of a model, or everything. Records of answers stay."""
    with reported():
        from quorate.cli import learned as command

        what = f"all that was learned of {model}" if model else "all that was learned"
        if not yes:
            typer.confirm(f"Forget {what}?", abort=True)
        command.reset(home_of(home), model)


@weights.command("export", epilog="Example: quorate weights export weights.json")
def export(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    home: HomeOption = None,
) -> None:
    """Write all that was learned into a JSON file."""
    with reported():
        from quorate.cli import learned as command

        command.export(home_of(home), file)


@weights.command("import", epilog="Example: quorate weights import weights.json --yes")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A file that `export` wrote.", exists=True, show_default=False)
    ],
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Put an exported file in the place of all that was learned."""
    with reported():
        from quorate.cli import learned as command

        if not yes:
            typer.confirm("Replace all that was learned?", abort=True)
        command.import_(home_of(home), file)


@app.command(rich_help_panel="Looking", epilog="Example: quorate replay 0193c2 --strategy weighted")
def replay(
    answer: Annotated[
        str,
        typer.Argument(help="A question_id, or a file that --save wrote.", show_default=False),
    ],
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="Decide by this.", show_default="as it was")
    ] = "",
    save: Annotated[
        Path | None, typer.Option(help="Also write the record here, as JSON.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Decide an earlier answer again from its record alone, without asking a model.

    Under its own strategy the same winner, text and explanation come out, byte for byte; if not,
    it exits with 1. Another strategy shows what would have won.
    """
    with reported(as_json=as_json):
        from quorate.cli import replay as command

        code = command.run(home_of(home), answer, strategy, save, as_json=as_json)
    raise typer.Exit(code)
