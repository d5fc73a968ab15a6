"""What is typed of a question: its text, from the command line or stdin, and its options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from quorate.client import Options

STDIN = "-"
MOST_STDIN_BYTES = 4 * 2**20
"""What the longest question may have in UTF-8; an endless pipe must not fill the memory."""


def given(options: dict[str, object | None]) -> Options:
    """Keep the options that were given: the rest is the coordinator's to choose."""
    return {name: value for name, value in options.items() if value is not None}  # type: ignore[return-value]


def text_of(question: str) -> str:
    """Read a question from stdin when it is "-"; raises InvalidRequest when it is no text."""
    return read_stdin().strip() if question == STDIN else _checked(question)


def read_stdin() -> str:
    """Read what is piped in; raises InvalidRequest when it is no text, or too long."""
    data = sys.stdin.buffer.read(MOST_STDIN_BYTES + 1)
    if len(data) > MOST_STDIN_BYTES:
        raise InvalidRequest(f"stdin holds more than {MOST_STDIN_BYTES} bytes; shorten the text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"stdin is not UTF-8 text: {error}") from error


def _checked(question: str) -> str:
    try:
        question.encode("utf-8")
    except UnicodeEncodeError as error:  # the shell's bytes, kept by Python as lone surrogates
        raise InvalidRequest(f"the question is not UTF-8 text: {error}") from error
    return question
