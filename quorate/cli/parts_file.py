"""`--parts`: a file that says how a question is split, as a person or a model writes it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from quorate.cli.questions import STDIN, read_stdin
from quorate.client.parts import parts_of
from quorate.client.plans import Plan, Subtask
from quorate.errors import InvalidRequest, nearest

if TYPE_CHECKING:
    from quorate.cli.options import Decompose

MOST_BYTES = 4 * 2**20
OPTION = "--parts"
LIST = "subtasks"


def given_parts(
    file: str | None, questions: Sequence[str], decompose: Decompose | None
) -> tuple[Subtask, ...] | None:
    """Read the parts of the only question; None where no file was named.

    Raises InvalidRequest that names the file, the entry and its field, and for what does not go
    with parts: several questions, --decompose, and a question that is read from stdin as well.
    """
    if file is None:
        return None
    if decompose is not None:
        raise InvalidRequest(
            f"{OPTION} {file} and --decompose {decompose.value} exclude each other: parts that are"
            " given are not split. Leave one of them out."
        )
    if len(questions) != 1:
        raise InvalidRequest.field(
            OPTION, file, f"there are {len(questions)} questions, and parts are those of one",
            "Ask each with a file of its own.",
        )  # fmt: skip
    if file == STDIN and STDIN in questions:
        raise InvalidRequest.field(
            OPTION, file, "the question is read from stdin already", "Write one of them to a file."
        )
    return read(file)


def read(file: str) -> tuple[Subtask, ...]:
    """Read parts from a JSON or YAML file, or "-" for stdin; raises InvalidRequest."""
    name = "stdin" if file == STDIN else file
    text = read_stdin() if file == STDIN else _text(Path(file))
    data = _parsed(name, text, Path(file).suffix.lower())
    parts = parts_of(_listed(name, data), f"{name}: {LIST}")
    if not parts:
        raise InvalidRequest(f"{name} holds no parts. Write at least one, or leave {OPTION} out.")
    return parts


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidRequest.field(
            OPTION, str(file), f"it cannot be read: {error.strerror}", "Choose another file."
        ) from error
    if len(data) > MOST_BYTES:
        raise InvalidRequest.field(
            OPTION, str(file), f"it holds more than {MOST_BYTES} bytes", "Shorten the parts."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{file} is not UTF-8 text: {error}") from error


def _parsed(name: str, text: str, suffix: str) -> Any:
    try:
        # JSON could be read as YAML, but its errors would not speak of JSON.
        if suffix == ".json" or (name == "stdin" and text.lstrip()[:1] in ("[", "{")):
            return json.loads(text)
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "YAML or JSON"
        told = " ".join(str(error).split())
        raise InvalidRequest(
            f"{name} is not {kind}: {told}. Write a list of parts, each with id and text."
        ) from error


def _listed(name: str, data: Any) -> Any:
    """Give the list of parts: the file's own, or that of a plan or of a model's reply."""
    if isinstance(data, list):
        return data
    known = [field.name for field in dataclasses.fields(Plan)]
    if not isinstance(data, dict):
        raise InvalidRequest.field(
            name,
            data,
            "it must be a list of parts",
            f'Or write {{"{LIST}": [...]}}.',
        )
    for key in data:
        if key not in known:
            raise InvalidRequest(
                f"{name} has the key {key!r}, which no plan has.{nearest(str(key), known)}"
            )
    if LIST not in data:
        raise InvalidRequest(f"{name} has no key {LIST!r}. Write the parts as a list under it.")
    return data[LIST]
