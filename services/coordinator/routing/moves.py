"""What a plan does to memory: models that are loaded, and others that leave for them. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A model on a node."""

    node: str
    model: str


class Move(NamedTuple):
    """One load or unload that a plan wants.

    `machine` names what it shares its loads with, `address` where its node listens; `seconds` is
    what it is expected to take. One that is `ahead` is for a later layer.
    """

    place: Place
    address: str
    machine: str
    load: bool
    memory_bytes: int
    seconds: float
    ahead: bool = False
