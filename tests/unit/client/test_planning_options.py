"""What a user says about planning reaches the wire, and what cannot be is refused with its name."""

from __future__ import annotations

import math
from typing import Any

import pytest

from quorate.client import Question, question
from quorate.client.question import ROUTINGS
from quorate.client.to_proto import question as written
from quorate.errors import InvalidRequest
from quorate.v1 import coordinator_pb2 as wire


def sent(**options: Any) -> wire.Question:
    return written(question("2+2?", **options))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("routing", "lp_relaxed"),
        ("horizon", 16),
        ("lambda_token", 0.25),
        ("lambda_switch", 1000),
        ("planner", "marshal"),
        ("max_models", 3),
    ],
)
def test_an_option_is_sent_under_its_name(option: str, value: object) -> None:
    assert getattr(sent(**{option: value}), option) == value


def test_a_weight_of_zero_is_not_the_same_as_none() -> None:
    chosen, left = sent(lambda_token=0, lambda_switch=0.0), sent()
    assert chosen.HasField("lambda_token")
    assert chosen.HasField("lambda_switch")
    assert not left.HasField("lambda_token")
    assert not left.HasField("lambda_switch")


def test_memory_is_sent_in_bytes_whichever_way_it_is_written() -> None:
    limits = {"gpu0": "8GiB", "n2": 500_000_000, "": "1.5 GB"}
    assert dict(sent(memory=limits).memory_bytes) == {
        "gpu0": 8 * 2**30, "n2": 500_000_000, "": 1_500_000_000
    }  # fmt: skip


@pytest.mark.parametrize("word", ["auto", "rules", "model", "none"])
def test_every_way_to_split_has_its_number(word: str) -> None:
    number = wire.DecomposeMode.Value(f"DECOMPOSE_MODE_{word.upper()}")
    assert sent(decompose=word).decompose == number


@pytest.mark.parametrize("mode", ROUTINGS)
def test_every_mode_of_routing_is_sent(mode: str) -> None:
    assert sent(routing=mode).routing == mode


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"decompose": "ruls"}, "Did you mean 'rules'"),
        ({"decompose": True}, "decompose cannot be True"),
        ({"routing": "greddy"}, "Did you mean 'greedy'"),
        ({"lambda_token": -0.1}, "lambda_token is -0.1"),
        ({"lambda_token": math.nan}, "lambda_token is nan"),
        ({"lambda_switch": math.inf}, "lambda_switch is inf"),
        ({"lambda_switch": 1001}, "lambda_switch is 1001"),
        ({"lambda_switch": "a lot"}, "lambda_switch is 'a lot'"),
        ({"horizon": -1}, "horizon is -1"),
        ({"horizon": 17}, "horizon is 17"),
        ({"memory": {"gpu0": "much"}}, r"memory\['gpu0'\] is 'much'"),
        ({"memory": {"gpu0": -1}}, r"memory\['gpu0'\] is -1"),
        ({"memory": {"gpu0": math.nan}}, r"memory\['gpu0'\] is nan"),
        ({"memory": {"gpu0": "9000000000GiB"}}, "9223372036854775807 bytes are the most"),
        ({"memory": "8GiB"}, "memory is '8GiB', but it must map"),
        ({"lamda_token": 1.0}, "Did you mean 'lambda_token'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        sent(**options)


def test_questions_share_no_memory_limits() -> None:
    assert Question(()).memory is not Question(()).memory
