"""What an engine process finds in its environment."""

from __future__ import annotations

from services.node.child import LARGE_FILE_BYTES, engine_environment


def test_the_engine_of_a_large_model_asks_for_large_pages() -> None:
    home = {"HOME": "/h"}
    large = engine_environment(home, LARGE_FILE_BYTES)
    assert large["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert large["HOME"] == "/h"
    assert "GLIBC_TUNABLES" not in engine_environment(home, LARGE_FILE_BYTES - 1)


def test_tunables_that_a_user_set_have_the_last_word() -> None:
    mine = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
    tunables = engine_environment(mine, LARGE_FILE_BYTES)["GLIBC_TUNABLES"].split(":")
    assert tunables == ["glibc.malloc.hugetlb=1", "glibc.malloc.hugetlb=0"]
    assert engine_environment(mine, 0)["GLIBC_TUNABLES"] == mine["GLIBC_TUNABLES"]
