"""The catalogue is complete, and its messages show the way out."""

from __future__ import annotations

import grpc
import pytest

from quorate import errors, rpc_status
from quorate.errors import BY_KIND, InvalidRequest, QuorateError, nearest, shorten


def test_every_kind_is_unique_and_drawn_in_the_tree() -> None:
    assert errors.__doc__ is not None
    for error in BY_KIND.values():
        assert error.__name__ in errors.__doc__
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert len(BY_KIND) == sum(issubclass(value, QuorateError) for value in classes)


@pytest.mark.parametrize("error", BY_KIND.values(), ids=lambda error: error.__name__)
def test_every_class_has_a_status_and_says_when_it_is_raised(error: type[QuorateError]) -> None:
    assert rpc_status.code_of(error("x")) in grpc.StatusCode
    assert error.__doc__ is not None
    assert error is QuorateError or error.__doc__.startswith("Raised when ")


def test_every_status_that_a_peer_can_send_has_a_class() -> None:
    assert set(rpc_status.BARE_STATUS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize("error", BY_KIND.values(), ids=lambda error: error.__name__)
def test_retryable_means_unavailable_or_full(error: type[QuorateError]) -> None:
    assert error.retryable == (error.status in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"))


def test_a_field_error_names_field_value_limit_and_fix() -> None:
    error = InvalidRequest.field("max_tokens", 0, "it must be positive", "Leave it unset.")
    assert error.message == "max_tokens is 0, but it must be positive. Leave it unset."
    assert error.metadata == {
        "field": "max_tokens",
        "value": "0",
        "limit": "it must be positive",
        "fix": "Leave it unset.",
    }


def test_a_long_value_is_shortened_in_messages() -> None:
    assert len(shorten("x" * 10_000)) < 120
    assert "10002 characters" in shorten("x" * 10_000)


def test_near_names_are_suggested_and_all_are_listed_when_none_is_near() -> None:
    assert nearest("majorty", ["majority", "weighted"]) == " Did you mean 'majority'?"
    assert nearest("zzz", ["b", "a"]) == " Known: a, b."
    assert nearest("zzz", []) == " Known: none."


def test_a_failure_inside_an_answer_carries_the_advice() -> None:
    failure = rpc_status.failure_of(errors.Overloaded("full", retry_after_seconds=1.5))
    assert (failure.kind, failure.retryable, failure.retry_after_seconds) == (
        "OVERLOADED",
        True,
        1.5,
    )


def test_an_error_without_a_status_is_not_lost() -> None:
    decoded = rpc_status.decode(grpc.RpcError("odd"))
    assert isinstance(decoded, errors.InternalError)
    assert "odd" in decoded.message
