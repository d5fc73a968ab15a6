"""Text across token borders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.node.engine.text import TextStream


def say(pieces: list[bytes], *stops: str) -> tuple[str, bool]:
    stream, shown = TextStream(stops), ""
    for piece in pieces:
        said = stream.push(piece)
        shown += said.shown
        if said.stopped:
            return shown, True
    return shown + stream.finish(), False


def test_a_character_split_over_tokens_appears_once_it_is_whole() -> None:
    stream = TextStream()
    raw = "🙂".encode()
    assert [stream.push(raw[i : i + 1]).shown for i in range(4)] == ["", "", "", "🙂"]


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert say([b"a\xff", b"b"]) == ("a\ufffdb", False)


def test_a_character_cut_off_by_the_end_is_dropped() -> None:
    assert say([b"a", "é".encode()[:1]]) == ("a", False)


@pytest.mark.parametrize(
    "pieces", [[b"yes STOP no"], [b"yes ST", b"OP no"], [b"yes S", b"T", b"OP"]]
)
def test_a_stop_text_ends_the_text_before_it_wherever_tokens_part(pieces: list[bytes]) -> None:
    assert say(pieces, "STOP") == ("yes ", True)


def test_the_earliest_of_several_stop_texts_counts() -> None:
    assert say([b"one two three"], "three", "two") == ("one ", True)


def test_what_only_began_like_a_stop_text_is_shown_after_all() -> None:
    assert say([b"ST", b"AR", b" ST"], "STOP") == ("STAR ST", False)


def test_the_tokens_own_text_is_told_even_while_it_is_held_back() -> None:
    said = TextStream(["STOP"]).push(b"ST")
    assert (said.token_text, said.shown) == ("ST", "")


@given(st.text(), st.lists(st.text(min_size=1, max_size=4), max_size=3), st.randoms())
def test_any_cut_into_tokens_shows_the_same_text(text: str, stops: list[str], random) -> None:
    raw = text.encode()
    cuts = sorted(random.randrange(len(raw) + 1) for _ in range(5))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    shown, stopped = say(pieces, *stops)
    assert stopped == any(stop in text for stop in stops)
    assert text.startswith(shown)
    if not stopped:
        assert shown == text
