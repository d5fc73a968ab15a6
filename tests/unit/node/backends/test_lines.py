"""Lines of a stream, however it is cut."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import UnusableReply
from services.node.backends.lines import LineSplitter, event_data


@given(st.binary(max_size=200), st.lists(st.integers(1, 20), max_size=30))
def test_lines_do_not_depend_on_how_the_stream_is_cut(data: bytes, cuts: Sequence[int]) -> None:
    splitter, lines, at = LineSplitter(), [], 0
    for cut in [*cuts, len(data)]:
        lines += splitter.feed(data[at : at + cut])
        at += cut
    lines += splitter.finish()
    expected = [line.rstrip(b"\r") for line in data.split(b"\n")]
    assert lines == [line for line in expected if line]


def test_a_line_is_as_long_as_allowed_and_no_longer() -> None:
    assert list(LineSplitter(4).feed(b"abcd\nabcd\n")) == [b"abcd", b"abcd"]
    with pytest.raises(UnusableReply, match="more than 4 bytes"):
        list(LineSplitter(4).feed(b"abcde"))


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (b"data: {}", b"{}"),
        (b"data:{}", b"{}"),
        (b"data", b""),
        (b": ping", None),
        (b"event: message", None),
        (b"retry: 5", None),
        (b'error: {"code": 400}', b'{"error":{"code": 400}}'),
    ],
)
def test_fields_of_an_event(line: bytes, data: bytes | None) -> None:
    assert event_data(line) == data


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(UnusableReply, match="as an event"):
        event_data(b"<html>")
