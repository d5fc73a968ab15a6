"""Memory is handed out until there is none left."""

from __future__ import annotations

import pytest

from quorate.errors import OutOfMemory
from services.node.budget import Budget

MIB = 2**20


def test_models_get_memory_until_it_is_used_up() -> None:
    budget = Budget(100 * MIB)
    budget.reserve("a", 60 * MIB)
    with pytest.raises(OutOfMemory, match="b needs 50 MiB, but 40 of 100 MiB are left"):
        budget.reserve("b", 50 * MIB)
    budget.reserve("c", 40 * MIB)


def test_without_a_limit_anything_is_handed_out() -> None:
    Budget(None).reserve("a", 2**60)
