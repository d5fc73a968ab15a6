"""Commands whose options are the fields of a class."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from quorate.cli.ask_options import AskOptions
from quorate.cli.commands_ask import ask
from quorate.cli.fields import with_fields_of


@dataclass(frozen=True)
class Wanted:
    names: Annotated[list[str], typer.Argument(help="Names.")]
    loud: Annotated[bool, typer.Option("--loud", help="Shout.")] = False
    times: Annotated[int, typer.Option(help="How often.", min=1)] = 1


def made() -> tuple[typer.Typer, list[Wanted]]:
    app, heard = typer.Typer(), list[Wanted]()

    @app.command()
    @with_fields_of(Wanted)
    def greet(wanted: Wanted) -> None:
        """Greet."""
        heard.append(wanted)

    return app, heard


def test_a_command_line_fills_the_fields() -> None:
    app, heard = made()
    assert CliRunner().invoke(app, ["Ann", "Ben", "--loud", "--times", "3"]).exit_code == 0
    assert CliRunner().invoke(app, ["Ann"]).exit_code == 0
    assert heard == [Wanted(["Ann", "Ben"], True, 3), Wanted(["Ann"])]


def test_what_the_fields_do_not_allow_is_refused() -> None:
    app, heard = made()
    assert CliRunner().invoke(app, ["Ann", "--times", "0"]).exit_code == 2
    assert CliRunner().invoke(app, []).exit_code == 2
    assert heard == []


def test_asking_takes_its_options_in_the_order_of_the_fields() -> None:
    assert list(inspect.signature(ask).parameters) == list(AskOptions.__dataclass_fields__)
    assert len(inspect.getsource(ask).splitlines()) < 40


def test_an_option_that_was_not_given_is_the_coordinators_to_choose() -> None:
    told = AskOptions(["What is it?"]).asked()
    assert {name for name, value in told.items() if value is not None} <= {"memory"}
    assert AskOptions(["x"], width=[2], model=["a"], cascade=True).asked()["widths"] == [2]
