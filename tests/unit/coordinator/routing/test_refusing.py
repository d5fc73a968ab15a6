"""A problem without a plan is refused with the setting that would mend it."""

from __future__ import annotations

import pytest

from quorate.errors import NoPlan
from services.coordinator.routing.refusing import no_plan
from tests.unit.coordinator.routing.conftest import GB, problem_of

ASKED = 'Raise memory_bytes[{0}] (or memory_bytes[""], where that limits it) to at least '


@pytest.mark.parametrize(
    ("pool", "fix"),
    [
        ("n1 as asked", f"{ASKED.format('n1')}3000000000 bytes, as in --memory n1=2862MiB"),
        ("n1+n2 as asked", f"{ASKED.format('box')}3000000000 bytes, as in --memory box=2862MiB"),
        ("n1+n2", "Free at least 1000000000 bytes on the machine of n1+n2"),
        ("n1", "Raise the setting memory of n1 by at least 1000000000 bytes"),
    ],
)
def test_what_fits_nowhere_names_the_setting_that_would_help(pool: str, fix: str) -> None:
    message = no_plan(problem_of([[0.9]], [3 * GB], {pool: 2 * GB})).message
    assert f"too few. {fix}" in message
    assert message.endswith(", or add a smaller model.")


@pytest.mark.parametrize(
    ("budget", "shown"),
    [(12, "12 bytes"), (2 * 2**20, "2.0 MiB (2097152 bytes)"), (2**31, "2.0 GiB (2147483648")],
)
def test_bytes_are_shown_as_a_person_reads_them_and_exactly(budget: int, shown: str) -> None:
    refused = no_plan(problem_of([[0.9]], [3 * GB], {"n1": budget}))
    assert isinstance(refused, NoPlan)
    assert f"but pool n1 has {shown}" in refused.message
