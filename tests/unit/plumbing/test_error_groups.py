"""Errors of tasks that failed together: told by the first, unless one of them is a defect."""

from __future__ import annotations

from quorate import error_groups
from quorate.errors import ConfigurationError, Overloaded, QuorateError

FULL, WRONG = Overloaded("full"), ConfigurationError("wrong")
DEFECT, NO_FILE = KeyError("x"), FileNotFoundError("y")


def test_of_known_errors_the_first_is_given_however_deep() -> None:
    nested = ExceptionGroup("outer", [ExceptionGroup("inner", [WRONG]), FULL])
    assert error_groups.first(nested, QuorateError) is WRONG


def test_several_kinds_may_be_known() -> None:
    group = ExceptionGroup("both", [NO_FILE, FULL])
    assert error_groups.first(group, (QuorateError, OSError)) is NO_FILE
    assert error_groups.first(group, QuorateError) is group


def test_a_defect_is_not_hidden_behind_a_known_error() -> None:
    for errors in ([FULL, DEFECT], [DEFECT], [FULL, ExceptionGroup("inner", [DEFECT])]):
        group = ExceptionGroup("some", errors)
        assert error_groups.first(group, QuorateError) is group
