"""Exit codes, errors as text and JSON, and how figures are written."""

from __future__ import annotations

import json

import pytest
import typer

from quorate import errors
from quorate.cli import terminal
from quorate.cli.exits import MEANINGS, Exit, as_data, code_of, reported


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NoMesh("x"), Exit.NO_MESH),
        (errors.AlreadyExists("x"), Exit.MESH_RUNNING),
        (errors.UnknownStrategy("x"), Exit.USAGE),
        (errors.NoQuorum("x"), Exit.FAILED),
        (errors.PeerUnreachable("x"), Exit.FAILED),
    ],
)
def test_errors_have_their_exit_codes(error: errors.QuorateError, code: Exit) -> None:
    assert code_of(error) is code


def test_every_exit_code_is_explained() -> None:
    assert set(MEANINGS) == set(Exit)


def test_error_is_told_on_stderr_with_when_to_try_again(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, reported():
        raise errors.Overloaded("the queue is full", retry_after_seconds=2)
    out, err = capsys.readouterr()
    assert left.value.exit_code == Exit.FAILED
    assert out == ""
    assert err == "quorate: the queue is full\nquorate: the same may succeed in 2.0 s.\n"


def test_error_in_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, reported(as_json=True):
        raise errors.NoNodes("nobody is there")
    out, err = capsys.readouterr()
    assert left.value.exit_code == Exit.FAILED
    assert err == ""
    assert json.loads(out) == {
        "error": {"kind": "NO_NODES", "message": "nobody is there", "retryable": True}
    }


def test_json_error_carries_metadata_and_delay() -> None:
    error = errors.Overloaded("full", retry_after_seconds=1.5, metadata={"model": "atlas"})
    described = as_data(error)["error"]
    assert described["retry_after_seconds"] == 1.5
    assert described["metadata"] == {"model": "atlas"}


def test_ctrl_c_leaves_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, reported():
        raise KeyboardInterrupt
    assert left.value.exit_code == Exit.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, reported():
        raise PermissionError(13, "Permission denied", "/nowhere")
    assert left.value.exit_code == Exit.FAILED
    assert capsys.readouterr().err == "quorate: Permission denied (/nowhere)\n"


def test_a_reader_that_left_is_not_told() -> None:
    with pytest.raises(BrokenPipeError), reported():
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**20, "3.0 MiB"), (2**41, "2.0 TiB")],
)
def test_sizes_are_readable(count: int, text: str) -> None:
    assert terminal.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.085, "85 ms"), (1.239, "1.24 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert terminal.duration(seconds) == text
