"""What the engines of all models of a node share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.node.engine.messages import Counters


def _ignore(_model: str, _before: Counters, _after: Counters) -> None:
    pass


@dataclass(frozen=True)
class Machine:
    """What the engines of all models share: cores, the directory of their locks, variables.

    `cores` of the machine's `all_cores` may be used. `observe` is told of every step of an engine:
    the model's name, and the engine's counters before and after.
    """

    cores: int
    all_cores: int
    runtime_directory: Path
    environment: Mapping[str, str]
    observe: Callable[[str, Counters, Counters], None] = _ignore
