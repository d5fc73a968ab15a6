"""What is read from a node's status: who can be asked, and how much memory is free."""

from __future__ import annotations

import pytest

from quorate.v1 import common_pb2
from services.coordinator.leases import available_bytes_of, free_bytes_of, model_of

AVAILABLE = common_pb2.MODEL_STATE_AVAILABLE
LOADING = common_pb2.MODEL_STATE_LOADING


@pytest.mark.parametrize(
    ("state", "on_demand", "askable", "missing_bytes"),
    [
        (AVAILABLE, True, True, 70),
        (AVAILABLE, False, False, 70),
        (LOADING, True, True, 0),
        (LOADING, False, False, 0),
        (common_pb2.MODEL_STATE_FAILED, True, False, 0),
        (common_pb2.MODEL_STATE_UNLOADING, True, False, 70),
        (common_pb2.MODEL_STATE_RESTARTING, True, False, 0),
        (common_pb2.MODEL_STATE_UNSPECIFIED, True, False, 0),
    ],
)
def test_a_model_on_demand_can_be_asked_until_it_fails_or_goes(
    state: common_pb2.ModelState.ValueType, on_demand: bool, askable: bool, missing_bytes: int
) -> None:
    info = common_pb2.ModelInfo(name="atlas", state=state, on_demand=on_demand, memory_bytes=70)
    model = model_of(info)
    assert (model.ready, model.on_demand, model.missing_bytes) == (False, askable, missing_bytes)


def test_a_node_that_does_not_measure_its_memory_has_no_known_limit() -> None:
    assert free_bytes_of(common_pb2.NodeStatus(memory_budget_bytes=5)) is None


@pytest.mark.parametrize(
    ("budget", "used", "cards", "loading", "free"),
    [
        (0, 40, [], [], 1000),
        (300, 40, [], [(40, 10)], 260),
        (300, 40, [], [(10, 40)], 260),
        (30, 40, [], [(40, 40)], 0),
        (0, 40, [(500, 100)], [], 1400),
        (0, 40, [], [(100, 30), (20, 50)], 930),
        (0, 40, [], [(5000, 0)], 0),
    ],
)
def test_free_memory_is_what_is_neither_held_nor_promised(
    budget: int, used: int, cards: list[tuple[int, int]], loading: list[tuple[int, int]], free: int
) -> None:
    status = common_pb2.NodeStatus(
        memory_budget_bytes=budget,
        memory_used_bytes=used,
        hardware=common_pb2.Hardware(
            available_bytes=1000,
            accelerators=[
                common_pb2.Accelerator(memory_bytes=memory, used_bytes=held)
                for memory, held in cards
            ],
        ),
        models=[
            common_pb2.ModelInfo(state=LOADING, memory_bytes=memory, resident_bytes=held)
            for memory, held in loading
        ],
    )
    assert free_bytes_of(status) == free


@pytest.mark.parametrize(
    ("memory", "available", "left"), [(900, 0, 0), (900, -5, 0), (0, 70, 70), (0, 0, None)]
)
def test_a_full_machine_is_told_from_one_that_does_not_measure(
    memory: int, available: int, left: int | None
) -> None:
    hardware = common_pb2.Hardware(memory_bytes=memory, available_bytes=available)
    assert available_bytes_of(common_pb2.NodeStatus(hardware=hardware)) == left


@pytest.mark.parametrize(("usable", "left"), [(None, 130), (0, 100), (20, 120), (-7, 100)])
def test_accelerators_count_only_as_far_as_engines_can_use_them(
    usable: int | None, left: int
) -> None:
    cards = [
        common_pb2.Accelerator(memory_bytes=50, used_bytes=20),
        common_pb2.Accelerator(memory_bytes=50, used_bytes=60),
    ]
    hardware = common_pb2.Hardware(
        memory_bytes=900,
        available_bytes=100,
        accelerators=cards,
        usable_accelerator_bytes=usable,
    )
    assert available_bytes_of(common_pb2.NodeStatus(hardware=hardware)) == left
