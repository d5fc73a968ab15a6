"""Frames between node and engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.node.engine.messages import (
    Cancel,
    Counters,
    FrameReader,
    Generate,
    Progress,
    Sampling,
    Step,
    decode_command,
    decode_event,
    frame,
)


@given(st.integers(1, 50))
def test_frames_survive_any_cut_of_the_stream(size: int) -> None:
    commands = [
        Generate(1, (), "x" * 40, 2, Sampling(stop=("a",), logit_bias={3: -1.0}), deadline=2.5),
        Cancel(1),
    ]
    stream = b"".join(map(frame, commands))
    reader = FrameReader()
    payloads = [
        payload
        for start in range(0, len(stream), size)
        for payload in reader.feed(stream[start : start + size])
    ]
    assert [decode_command(payload) for payload in payloads] == commands


def test_events_survive_the_way() -> None:
    step = Step(Counters(busy_slots=1), (Progress(3, prompt_tokens=2),))
    (payload,) = FrameReader().feed(frame(step))
    assert decode_event(payload) == step


def test_a_length_that_cannot_be_right_is_refused() -> None:
    with pytest.raises(ValueError, match="4294967295"):
        list(FrameReader().feed(b"\xff\xff\xff\xff"))
