"""What a topology is made of: nodes, groups, the places of services, and defaults. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from quorate import voting
from quorate.config import Bytes, ModelSettings, Name, Settings
from quorate.errors import UnknownStrategy
from quorate.memory_settings import MemorySettings
from quorate.planning_settings import PlanningSettings

LOOPBACK = "127.0.0.1"


def _check_host(value: str) -> str:
    if not value or any(character.isspace() or character == "/" for character in value):
        raise ValueError(f"{value!r} is not a host; write a name or an address without a port")
    return value


Host = Annotated[str, AfterValidator(_check_host)]
Port = Annotated[int, Field(ge=0, le=65535)]


def refuse_duplicates(what: str, names: Iterable[str]) -> None:
    """Raise ValueError when a name occurs twice."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(
            f"the {what} name {', '.join(map(repr, twice))} occurs more than once; "
            f"{what} names must differ"
        )


class PlaceSettings(Settings):
    """Where a service listens. Port 0 takes a free one."""

    host: Host = LOOPBACK
    port: Port = 0

    @property
    def listen(self) -> str:
        """Give host:port, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class TopologyNode(PlaceSettings):
    """One node: its place, its group, its limits and its models.

    `memory` is the most bytes its models may use together, `cores` the most cores; None means
    the defaults' value, and then the machine's.
    """

    name: Name
    group: str = ""
    memory: Bytes | None = None
    cores: int | None = Field(default=None, ge=1)
    models: Sequence[ModelSettings] = Field(min_length=1)

    @field_validator("models")
    @classmethod
    def _models_differ(cls, models: Sequence[ModelSettings]) -> Sequence[ModelSettings]:
        refuse_duplicates("model", (model.name for model in models))
        return models


class GroupSettings(Settings):
    """A group of nodes."""

    description: str = ""


class CoordinatorPlace(PlaceSettings, MemorySettings, PlanningSettings):
    """The coordinator: its place, how it votes and waits, what it remembers, who plans.

    Seconds throughout.
    """

    name: Name = "coordinator"
    strategy: str = "majority"
    lease_seconds: float = Field(default=6.0, gt=0)
    heartbeat_seconds: float = Field(default=2.0, gt=0)
    question_seconds: float = Field(default=300.0, gt=0)
    ballot_seconds: float = Field(default=120.0, gt=0)

    @field_validator("strategy")
    @classmethod
    def _strategy_exists(cls, name: str) -> str:
        try:
            return voting.find(name).name
        except UnknownStrategy as error:
            raise ValueError(error.message) from error


class SynthesizerPlace(PlaceSettings):
    """The synthesizer: its place, and the models that may merge, best first.

    No models merge deterministically.
    """

    name: Name = "synthesizer"
    models: Sequence[Name] = ()
    model_seconds: float = Field(default=60.0, gt=0)


class Defaults(Settings):
    """What holds wherever a node or model says nothing itself."""

    memory: Bytes | None = None
    cores: int | None = Field(default=None, ge=1)
    context_tokens: int | None = Field(default=None, ge=64)
    slots: int | None = Field(default=None, ge=1, le=64)
    weight: float | None = Field(default=None, gt=0, le=1000)
    log_level: str = "INFO"
    otlp_endpoint: str | None = None
