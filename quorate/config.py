"""Frozen, validated settings of every service, from a YAML file and `QUORATE_*` variables.

A key that no setting has is fatal and names the nearest valid one. The environment is passed in by
`__main__` modules; nothing here reads it. `QUORATE_TELEMETRY__METRICS_PORT=9090` sets
`telemetry.metrics_port`: two underscores go one level down, values are read as YAML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from quorate import remote
from quorate.errors import ConfigurationError, nearest, shorten
from quorate.memory_settings import MemorySettings
from quorate.planning_settings import PlanningSettings
from quorate.setting_types import (
    Address,
    Bytes,
    Name,
    Settings,
    check_address,
    check_name,
    parse_bytes,
)

__all__ = [
    "PREFIX", "RESERVED", "Address", "AnySettings", "Bytes", "CoordinatorSettings", "ModelSettings",
    "Name", "NodeSettings", "ServiceSettings", "Settings", "SynthesizerSettings",
    "TelemetrySettings", "TlsSettings", "check_address", "check_name", "load", "parse_bytes",
    "read_yaml", "validate",
]  # fmt: skip

PREFIX = "QUORATE_"
RESERVED = frozenset({"QUORATE_HOME", "QUORATE_DATA"})
"""Variables that the command line reads itself; they set nothing here."""


class TlsSettings(Settings):
    """Where a peer's certificate, key and trusted authorities lie (PEM files)."""

    certificate: Path
    key: Path
    authorities: Path


class TelemetrySettings(Settings):
    """Where metrics and traces go. Port 0 picks a free one; None serves no metrics."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    otlp_endpoint: str | None = None
    log_level: str = "INFO"


class ServiceSettings(Settings):
    """What every service has: a name, an address, an identity and telemetry.

    `tls` None is refused at start unless `insecure` is true and `listen` is a loopback address.
    `advertise` is the address that peers are told; None tells the address that was bound.
    `ready_file` receives the bound address once the service can be called. `probe_port` serves
    health checks, and nothing else, without TLS: for Kubernetes, on `probe_host` 0.0.0.0.
    """

    name: Name
    listen: Address = "127.0.0.1:0"
    advertise: Address | None = None
    tls: TlsSettings | None = None
    insecure: bool = False
    trust_domain: str = "quorate.local"
    probe_port: int | None = Field(default=None, ge=0, le=65535)
    probe_host: str = "127.0.0.1"
    drain_seconds: float = Field(default=10.0, ge=0)
    telemetry: TelemetrySettings = TelemetrySettings()
    ready_file: Path | None = None


class ModelSettings(Settings):
    """One model of a node.

    `path` is a GGUF file; None takes the pocket model of that name. `replicas` engines share the
    file. `weight` scales its votes; `reliability` is the initial P(right) by task type, in [0, 1].
    `kv_layout` "split" gives each of the `slots` room for a whole context, which is fastest and
    repeats a text exactly; "unified" lets them share a smaller one; "auto" splits where the cache
    stays small. `cache_type` is the type of cached keys and values. `gpu_layers` -1 puts as many
    layers on accelerators as fit. `load` "on_demand" waits with the load until the model is asked.

    Another `backend` than llama.cpp is a server at `url`, which knows the model as `remote_model`;
    `slots` requests are sent to it at once. `sampling` names fields beyond its API's own that it is
    known to honour. `silence_seconds` is how long it may say nothing. Its key is read from a file,
    or from the environment variable of that name.
    """

    name: Name
    backend: remote.Backend = "llama.cpp"
    url: Annotated[str, AfterValidator(remote.check_url)] | None = None
    remote_model: str | None = Field(default=None, min_length=1)
    dialect: remote.Dialect = "openai"
    api_key_file: Path | None = None
    api_key_variable: str | None = Field(default=None, min_length=1)
    sampling: Sequence[Literal[remote.EXTRA_SAMPLING]] = ()  # type: ignore[valid-type]
    logprobs: bool = True
    silence_seconds: float = Field(default=120.0, gt=0, le=3600)
    keep_alive: (
        Annotated[str, BeforeValidator(str), AfterValidator(remote.check_keep_alive)] | None
    ) = None
    path: Path | None = None
    weight: float = Field(default=1.0, gt=0, le=1000)
    replicas: int = Field(default=1, ge=1, le=16)
    context_tokens: int | None = Field(default=None, ge=64)
    slots: int = Field(default=8, ge=1, le=64)
    queue: int = Field(default=64, ge=1, le=4096)
    gpu_layers: int = Field(default=-1, ge=-1)
    kv_layout: Literal["auto", "split", "unified"] = "auto"
    cache_type: Literal["f16", "q8_0", "q4_0"] = "f16"
    load: Literal["eager", "on_demand"] = "eager"
    reliability: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}

    @model_validator(mode="after")
    def _backend_has_its_keys(self) -> Self:
        fields = type(self).model_fields
        given = [key for key in fields if getattr(self, key) != fields[key].default]
        remote.check_combination(self.backend, given, self.url)
        return self


class NodeSettings(ServiceSettings):
    """A node: its models, its memory and the coordinators that it registers with.

    `memory` is the most bytes that its models may use together; None means the machine's.
    `cores` is how many cores its engines may use; None means all that the process may run on.
    `runtime_directory` holds what the nodes of one machine share.
    """

    models: Sequence[ModelSettings] = Field(min_length=1)
    coordinators: Sequence[Address] = ()
    group: str = ""
    memory: Bytes | None = None
    cores: int | None = Field(default=None, ge=1)
    runtime_directory: Path | None = None


class CoordinatorSettings(ServiceSettings, MemorySettings, PlanningSettings):
    """A coordinator: how it votes by default, how long it waits, what it remembers, who plans.

    Seconds throughout. `synthesizer` None merges parts deterministically; `synthesizer_judges` says
    that it also judges the answers of best_of_n.
    """

    synthesizer: Address | None = None
    synthesizer_models: Sequence[str] = ()
    synthesizer_judges: bool = True
    strategy: str = "majority"
    lease_seconds: float = Field(default=6.0, gt=0)
    heartbeat_seconds: float = Field(default=2.0, gt=0)
    question_seconds: float = Field(default=300.0, gt=0)
    ballot_seconds: float = Field(default=120.0, gt=0)


class SynthesizerSettings(ServiceSettings):
    """A synthesizer. `model_seconds` bounds one model's attempt at a merge."""

    model_seconds: float = Field(default=60.0, gt=0)


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(cls: type[AnySettings], path: Path | None, environment: Mapping[str, str]) -> AnySettings:
    """Read settings from a YAML file, then let `QUORATE_*` variables override them.

    Raises ConfigurationError that names the file, the key, the value and the nearest valid key.
    """
    data = read_yaml(path) if path else {}
    origin = str(path) if path else "the environment"
    return validate(cls, _merge(data, _from_environment(environment)), origin)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; raises ConfigurationError when there is none."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} holds {shorten(data)}; it must hold keys and values")
    return data


def validate(cls: type[AnySettings], data: Mapping[str, Any], origin: str) -> AnySettings:
    """Check plain data against settings; raises ConfigurationError that lists every problem."""
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        problems = [_explain(cls, problem["loc"], problem) for problem in error.errors()]
        raise ConfigurationError(f"{origin}: " + "; ".join(problems)) from error


def _explain(cls: type[Settings], location: Sequence[int | str], problem: Mapping[str, Any]) -> str:
    key = ".".join(str(step) for step in location) or "the file"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}.{nearest(str(location[-1]), _keys_at(cls, location[:-1]))}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] == "value_error":  # our own checks already show the value
        return f"{key}: {str(problem['msg']).removeprefix('Value error, ')}"
    return f"{key} is {shorten(problem['input'])}: {problem['msg']}"


def _keys_at(cls: type[Settings], location: Sequence[int | str]) -> list[str]:
    """Give the valid keys of the settings that a location leads to."""
    current = cls
    for step in location:
        if isinstance(step, int):
            continue
        field = current.model_fields.get(step)
        inner = next(_settings_in(field.annotation), None) if field else None
        if inner is None:
            return []
        current = inner
    return list(current.model_fields)


def _settings_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from _settings_in(argument)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in RESERVED:
            continue
        *parents, leaf = variable.removeprefix(PREFIX).lower().split("__")
        level = data
        for parent in parents:
            level = level.setdefault(parent, {})
            if not isinstance(level, dict):
                raise ConfigurationError(
                    f"{variable} goes below a value that another variable sets"
                )
        level[leaf] = _read_variable(variable, environment[variable])
    return data


def _read_variable(variable: str, text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{variable} is not YAML: {error}") from error


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            value = _merge(inner, value)
        merged[key] = value
    return merged
