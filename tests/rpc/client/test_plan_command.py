"""`quorate plan` against a coordinator that answers from constants."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quorate.cli.app import app
from quorate.cli.exits import Exit
from quorate.errors import UnknownModel
from quorate.v1 import coordinator_pb2

QUESTION = "2+2?"


def run(home: Path, *arguments: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["plan", *arguments], env={"QUORATE_HOME": str(home)})
    return ended.exit_code, ended.stdout, ended.stderr


def test_a_plan_is_printed_with_its_parts_voters_and_reason(home: Path) -> None:
    code, out, err = run(home, QUESTION)
    assert (code, err) == (Exit.OK, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "t1 t0 math - - 2+2?" in lines
    assert "t1 n1/atlas - - -" in lines
    assert "because it is whole" in lines


def test_options_of_plan_reach_the_coordinator(home: Path, served: Any) -> None:
    code, _, err = run(
        home, QUESTION, "--routing", "greedy", "--horizon", "1", "--lambda-token", "0.25",
        "--lambda-switch", "0", "--memory", "gpu0=8GiB", "--memory", "n2=500MB", "--memory", "1GiB",
        "--max-models", "2", "--decompose", "auto", "--planner", "marshal",
        "--budget-seconds", "2.5", "--budget-tokens", "900", "--pareto", "--model", "atlas",
        "--model", "forge", "--node", "n1",
    )  # fmt: skip
    assert code == Exit.OK, err
    request = served.coordinator.requests["Plan"]
    asked = request.question
    assert request.pareto
    assert (asked.routing, asked.horizon, asked.max_models) == ("greedy", 1, 2)
    assert (asked.lambda_token, asked.lambda_switch) == (0.25, 0.0)
    assert asked.HasField("lambda_switch")
    assert dict(asked.memory_bytes) == {"gpu0": 8 * 2**30, "n2": 500_000_000, "": 2**30}
    assert asked.decompose == coordinator_pb2.DECOMPOSE_MODE_AUTO
    assert asked.planner == "marshal"
    assert (list(asked.models), list(asked.nodes)) == (["atlas", "forge"], ["n1"])
    assert (asked.budget.seconds, asked.budget.tokens) == (2.5, 900)


def test_options_that_are_not_given_are_left_to_the_coordinator(home: Path, served: Any) -> None:
    run(home, QUESTION)
    request = served.coordinator.requests["Plan"]
    assert not request.pareto
    set_fields = {field.name for field, _ in request.question.ListFields()}
    assert set_fields <= {"messages", "sampling", "budget"}


def test_several_questions_are_planned_in_their_order(home: Path) -> None:
    code, out, _ = run(home, "first?", "second?")
    assert code == Exit.OK
    assert out.index("» first?") < out.index("» second?")
    code, out, _ = run(home, "first?", "second?", "--json")
    assert [json.loads(line)["question_id"] for line in out.splitlines()] == ["q1", "q1"]


def test_a_dry_run_is_what_plan_always_is_and_says_so_beside_the_json(home: Path) -> None:
    code, out, err = run(home, QUESTION, "--dry-run", "--json")
    assert code == Exit.OK
    assert json.loads(out)["reason"] == "it is whole"
    assert "dry run" in err


def test_pictures_of_the_plan_and_the_frontier_are_written(home: Path, tmp_path: Path) -> None:
    code, out, err = run(home, QUESTION, "--pareto", "--picture", str(tmp_path / "plan.svg"))
    assert code == Exit.OK, err
    assert b"n1/atlas" in (tmp_path / "plan.svg").read_bytes()
    assert b"<svg" in (tmp_path / "plan-pareto.svg").read_bytes()
    assert "plan-pareto.svg" in out


def test_a_coordinator_without_a_frontier_is_told_from_one_that_was_not_asked(
    home: Path, served: Any
) -> None:
    async def old(request: Any) -> Any:
        return coordinator_pb2.PlanResponse()

    code, _, err = run(home, QUESTION, "--pareto")
    assert (code, err) == (Exit.OK, "")
    served.coordinator.instead["Plan"] = old
    code, _, err = run(home, QUESTION, "--pareto")
    assert code == Exit.OK
    assert "gave no plans to compare with" in err


def test_a_failure_does_not_keep_the_next_question_from_being_planned(
    home: Path, served: Any
) -> None:
    asked: list[str] = []

    async def fails(request: Any) -> Any:
        asked.append(request.question.messages[0].content)
        if len(asked) == 1:
            raise UnknownModel("there is no model 'marshall'")
        return coordinator_pb2.PlanResponse()

    served.coordinator.instead["Plan"] = fails
    code, out, err = run(home, "first?", "second?", "--planner", "marshall")
    assert (code, asked) == (Exit.FAILED, ["first?", "second?"])
    assert err == "quorate: there is no model 'marshall'\n"
    assert "» second?" in out


def test_timeout_of_plan_is_told(home: Path, served: Any) -> None:
    async def waits(request: Any) -> Any:
        await asyncio.Event().wait()

    served.coordinator.instead["Plan"] = waits
    code, _, err = run(home, QUESTION, "--timeout", "0.3")
    assert code == Exit.FAILED
    assert "no plan within 0.3 s. Allow more with --timeout" in err


def test_characters_that_no_font_has_are_told_for_a_picture_that_needs_them(
    home: Path, tmp_path: Path
) -> None:
    code, _, err = run(home, "日本?", "--picture", str(tmp_path / "plan.png"))
    assert code == Exit.OK
    assert "plan.png shows boxes in the place of 日本" in err
    code, _, err = run(home, "日本?", "--picture", str(tmp_path / "plan.svg"))
    assert (code, err) == (Exit.OK, "")


def test_each_question_has_a_picture_of_its_own(home: Path, tmp_path: Path) -> None:
    code, out, _ = run(home, "a?", "b?", "--json", "--picture", str(tmp_path / "plan.png"))
    assert code == Exit.OK
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["plan-1.png", "plan-2.png"]
    assert [type(json.loads(line)) for line in out.splitlines()] == [dict, dict]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--picture", "plan.bmp"), "no format 'bmp'"),
        (("--picture", "plan"), "End it with .svg"),
        (("--picture", "nowhere/plan.svg"), "no directory 'nowhere'"),
        (("--memory", "gpu0=lots"), "memory['gpu0'] is 'lots'"),
        (("--memory", "n1=1GiB", "--memory", "n1=2GiB"), "n1 has a limit already"),
        (("--lambda-token", "-1"), "lambda_token is -1.0"),
        (("--lambda-switch", "nan"), "lambda_switch is nan"),
        (("--horizon", "17"), "horizon is 17"),
    ],
)
def test_what_cannot_be_is_refused_before_the_coordinator_is_called(
    home: Path, served: Any, arguments: tuple[str, ...], told: str
) -> None:
    code, out, err = run(home, QUESTION, *arguments)
    assert (code, out.strip()) in [(Exit.USAGE, ""), (Exit.USAGE, f"» {QUESTION}")]
    assert told in err
    code, out, _ = run(home, QUESTION, *arguments, "--json")
    assert code == Exit.USAGE
    assert told in json.loads(out)["error"]["message"]
    assert "Plan" not in served.coordinator.requests


def test_a_picture_cannot_take_the_place_of_a_directory(home: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.svg").mkdir()
    code, _, err = run(home, QUESTION, "--picture", str(tmp_path / "plan.svg"))
    assert code == Exit.USAGE
    assert "it is a directory" in err


@pytest.mark.parametrize("arguments", [("--routing", "best"), ("--decompose", "ruls")])
def test_an_unknown_word_is_refused_with_those_that_are_known(
    home: Path, arguments: tuple[str, ...]
) -> None:
    code, _, err = run(home, QUESTION, *arguments)
    assert code == Exit.USAGE
    assert arguments[0] in err
