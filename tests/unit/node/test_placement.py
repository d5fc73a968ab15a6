"""Layers go to accelerators as far as they fit. The cards are made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quorate.models import memory, pocket_models
from quorate.models.gguf import read_header
from quorate.models.memory import MemoryEstimate
from services.node.ledger import Amounts
from services.node.placement import ALL_LAYERS, CARD_MARGIN_BYTES, Card, amounts, fit_layers

GIB = 2**30
HEADER = read_header(pocket_models()["atlas"])
LAYERS = HEADER.layers


def estimate(count: int) -> MemoryEstimate:
    return memory.estimate(HEADER, pool_tokens=32_768, slots=8, gpu_layers=count)


def fit(*cards: Card, wanted: int = ALL_LAYERS) -> int:
    return fit_layers(wanted, LAYERS, estimate, cards)


def test_without_a_card_nothing_is_put_on_one() -> None:
    assert fit() == fit(wanted=7) == 0


def test_a_large_card_takes_all_layers_and_the_output() -> None:
    assert fit(Card(80 * GIB)) == LAYERS + 1


def test_a_full_card_takes_nothing() -> None:
    assert fit(Card(CARD_MARGIN_BYTES)) == fit(Card(0)) == 0


def test_two_small_cards_take_what_neither_takes_alone() -> None:
    half = CARD_MARGIN_BYTES + estimate(LAYERS + 1).device_bytes * 2 // 3
    assert fit(Card(half)) < fit(Card(half), Card(half)) == LAYERS + 1


def test_a_number_that_was_asked_for_is_taken_as_it_is() -> None:
    assert fit(Card(0), wanted=2) == 2
    assert fit(Card(0), wanted=10_000) == LAYERS + 1


def test_where_memory_is_shared_all_layers_go_over_and_count_as_the_machines() -> None:
    card = Card(free_bytes=0, unified=True)
    assert fit(card) == LAYERS + 1
    told = estimate(LAYERS + 1)
    assert amounts(told, [card]) == Amounts(told.total_bytes)
    assert amounts(told, [Card(GIB)]) == Amounts(told.host_bytes, told.device_bytes)


@given(free=st.lists(st.integers(0, 2 * GIB), min_size=1, max_size=4))
def test_what_is_put_on_cards_fits_and_one_layer_more_would_not(free: list[int]) -> None:
    count = fit(*map(Card, free))
    room = sum(max(0, one - CARD_MARGIN_BYTES) for one in free)
    assert estimate(count).device_bytes <= room
    assert count == LAYERS + 1 or estimate(count + 1).device_bytes > room
