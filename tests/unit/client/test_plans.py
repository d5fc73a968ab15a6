"""Plans come out of protobuf with everything that the contract says about them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from google.protobuf.message import Message

from quorate.cli import ask_json
from quorate.client import from_proto, plan_from_proto
from quorate.client.enums import enum_text
from quorate.client.plans import Move, Plan, PlanStep, Residency
from quorate.v1 import coordinator_pb2 as wire


def content(message: Message) -> dict[str, Any]:
    """Give all fields of a message, set or not, under their names."""
    return {field.name: _value(message, field) for field in message.DESCRIPTOR.fields}


def _value(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [content(one) if isinstance(one, Message) else one for one in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    if field.enum_type:
        text = enum_text(field.enum_type, value)
        return "" if text == "unspecified" else text
    return content(value) if isinstance(value, Message) else value


def plain(value: object) -> Any:
    """Give what a program reads from `--json`."""
    return json.loads(json.dumps(value))


def test_a_plan_keeps_every_field_of_the_contract_and_json_says_them_all(
    response: wire.PlanResponse,
) -> None:
    read = plan_from_proto.plan(response.plan, response.frontier)
    sent = content(response)
    assert plain(ask_json.plan(read)) == {**sent["plan"], "frontier": sent["frontier"]}


def test_a_step_keeps_every_field_of_the_contract(step: wire.PlanStep) -> None:
    assert plain(dataclasses.asdict(plan_from_proto.step(step))) == content(step)


@pytest.mark.parametrize("field", ["plan_steps", "plan_step", "residency", "planned"])
def test_no_field_of_the_fixtures_is_left_at_its_default(
    field: str, response: wire.PlanResponse, step: wire.PlanStep, load: wire.Residency
) -> None:
    message: Message = {
        "plan_steps": response.frontier[0], "plan_step": step, "residency": load,
        "planned": response.plan,
    }[field]  # fmt: skip
    unset = {one.name for one in message.DESCRIPTOR.fields} - {
        one.name for one, _ in message.ListFields()
    }
    assert not unset


def test_a_bound_that_is_not_known_is_not_zero() -> None:
    read = plan_from_proto.routing(wire.Routing(mode="greedy"))
    assert (read.bound, read.gap) == (None, None)
    read = plan_from_proto.routing(wire.Routing(mode="mip", bound=0.0, gap=0.0))
    assert (read.bound, read.gap) == (0.0, 0.0)


def test_a_coordinator_that_knows_no_routing_gives_a_plan_without_one() -> None:
    read = plan_from_proto.plan(wire.PlanMade(question_id="q1"))
    assert (read.routing, read.decomposed_by, read.frontier) == (None, "", ())


def test_a_move_of_a_newer_coordinator_is_unspecified() -> None:
    newer = wire.Residency()
    newer.ParseFromString(b"\x08\x63")  # kind 99
    assert plan_from_proto.residency(newer).kind is Move.UNSPECIFIED


def test_planning_is_told_in_a_stream(step: wire.PlanStep, load: wire.Residency) -> None:
    told = from_proto.event(wire.AskStreamResponse(plan_step=step))
    assert isinstance(told, PlanStep)
    assert (told.layer, told.again) == (1, "forge crashed")
    moved = from_proto.event(wire.AskStreamResponse(residency=load))
    assert isinstance(moved, Residency)
    assert (moved.kind, moved.model, moved.ahead) == (Move.LOAD, "scribe", True)


def test_an_answer_carries_the_plans_of_its_layers(step: wire.PlanStep) -> None:
    read = from_proto.answer(wire.Result(plan_steps=[step, wire.PlanStep(layer=2)]))
    assert [one.layer for one in read.plan_steps] == [1, 2]
    written = ask_json.answer(read)
    assert plain(written)["plan_steps"][0] == content(step)


def test_voters_of_a_part_come_in_the_order_of_the_plan(response: wire.PlanResponse) -> None:
    read: Plan = plan_from_proto.plan(response.plan)
    assert [one.member for one in read.voters("t2")] == ["n2/scribe"]
    assert read.voters("t9") == ()
