"""The topology: which nodes run which models, and the settings of the services that follow from it.

Pure: files are only read by `read`. Paths in a topology file are relative to that file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml
from pydantic import Field, ValidationInfo, field_validator, model_validator

from quorate import config
from quorate.config import (
    AnySettings,
    CoordinatorSettings,
    ModelSettings,
    NodeSettings,
    Settings,
    SynthesizerSettings,
    TelemetrySettings,
    TlsSettings,
)
from quorate.errors import nearest
from quorate.memory_settings import MemorySettings
from quorate.planning_settings import PlanningSettings
from quorate.topology_parts import (
    CoordinatorPlace,
    Defaults,
    GroupSettings,
    SynthesizerPlace,
    TopologyNode,
    refuse_duplicates,
)

DEFAULT_RESOURCE = "default_topology.yaml"


class Topology(Settings):
    """A whole mesh. Names of nodes are unique; declared groups are the only ones."""

    nodes: Sequence[TopologyNode] = Field(min_length=1)
    groups: Mapping[str, GroupSettings] = {}
    coordinator: CoordinatorPlace = CoordinatorPlace()
    synthesizer: SynthesizerPlace = SynthesizerPlace()
    defaults: Defaults = Defaults()

    @field_validator("nodes")
    @classmethod
    def _nodes_differ(cls, nodes: Sequence[TopologyNode]) -> Sequence[TopologyNode]:
        refuse_duplicates("node", (node.name for node in nodes))
        return nodes

    @field_validator("groups", mode="before")
    @classmethod
    def _groups_may_be_a_list(cls, groups: object, info: ValidationInfo) -> object:
        # A group without a description is most naturally written as a bare name.
        if isinstance(groups, list) and all(isinstance(name, str) for name in groups):
            return {name: {} for name in groups}
        if isinstance(groups, dict):
            return {name: value or {} for name, value in groups.items()}
        return groups

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        for node in self.nodes:
            if node.group and self.groups and node.group not in self.groups:
                raise ValueError(
                    f"node {node.name} is in the group {node.group!r}, which is not declared."
                    + nearest(node.group, self.groups)
                )
        places = [self.coordinator, self.synthesizer, *self.nodes]
        taken = Counter(place.listen for place in places if place.port)
        if twice := sorted(address for address, count in taken.items() if count > 1):
            raise ValueError(f"two services would listen on {', '.join(twice)}; ports must differ")
        named = [("the synthesizer's model", name) for name in self.synthesizer.models]
        named += [
            ("the coordinator's planner", name) for name in [self.coordinator.planner] if name
        ]
        for what, name in named:
            if name not in self.model_names:
                raise ValueError(
                    f"{what} {name!r} is on no node." + nearest(name, self.model_names)
                )
        return self

    @property
    def model_names(self) -> frozenset[str]:
        """Give the names of all models of all nodes."""
        return frozenset(model.name for node in self.nodes for model in node.models)


def default_text() -> str:
    """Give the default topology as it is written, with its comments."""
    return (resources.files("quorate") / DEFAULT_RESOURCE).read_text(encoding="utf-8")


def default() -> Topology:
    """Give the default topology: three nodes of two pocket models each."""
    return config.validate(Topology, yaml.safe_load(default_text()), "the default topology")


def read(path: Path) -> Topology:
    """Read a topology file; its paths become absolute.

    Raises ConfigurationError that names the file, the key and the nearest valid key.
    """
    topology = config.validate(Topology, config.read_yaml(path), str(path))
    return with_paths_from(topology, path.absolute().parent)


def with_paths_from(topology: Topology, directory: Path) -> Topology:
    """Resolve relative paths against a directory: of models, of what a coordinator keeps."""

    def placed(settings: AnySettings, *keys: str) -> AnySettings:
        files = {key: path for key in keys if (path := getattr(settings, key))}
        return settings.model_copy(
            update={key: directory / path.expanduser() for key, path in files.items()}
        )

    nodes = [
        node.model_copy(
            update={"models": [placed(model, "path", "api_key_file") for model in node.models]}
        )
        for node in topology.nodes
    ]
    coordinator = placed(topology.coordinator, "state_directory", "journal")
    return topology.model_copy(update={"nodes": nodes, "coordinator": coordinator})


def missing_files(topology: Topology) -> list[Path]:
    """Give the model files that the topology names and that do not exist, each once."""
    paths = {model.path for node in topology.nodes for model in node.models if model.path}
    return sorted(path for path in paths if not path.is_file())


def to_yaml(settings: Settings) -> str:
    """Write settings as YAML that `quorate.config.load` reads back; defaults are left out."""
    data: dict[str, Any] = settings.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


class Deployment(NamedTuple):
    """What a topology does not say itself: credentials, and where services report their address.

    `tls` None is an insecure mesh. `ready_file` is None when nobody waits for it. `state_directory`
    holds what a coordinator remembers; None is the user's.
    """

    tls: TlsSettings | None
    ready_file: Path | None
    trust_domain: str = "quorate.local"
    state_directory: Path | None = None


def node_settings(
    topology: Topology, node: TopologyNode, coordinators: Sequence[str], deployment: Deployment
) -> NodeSettings:
    """Give the settings of one node that registers with coordinators at host:port."""
    defaults = topology.defaults
    return NodeSettings(
        name=node.name,
        listen=node.listen,
        models=[_with_defaults(model, defaults) for model in node.models],
        coordinators=list(coordinators),
        group=node.group,
        memory=defaults.memory if node.memory is None else node.memory,
        cores=defaults.cores if node.cores is None else node.cores,
        telemetry=_telemetry(defaults),
        **_deployed(deployment),
    )


def coordinator_settings(
    topology: Topology, synthesizer: str | None, deployment: Deployment
) -> CoordinatorSettings:
    """Give the coordinator's settings; `synthesizer` is where it listens, as host:port."""
    place = topology.coordinator
    return CoordinatorSettings(
        name=place.name,
        listen=place.listen,
        synthesizer=synthesizer,
        synthesizer_models=list(topology.synthesizer.models),
        strategy=place.strategy,
        lease_seconds=place.lease_seconds,
        heartbeat_seconds=place.heartbeat_seconds,
        question_seconds=place.question_seconds,
        ballot_seconds=place.ballot_seconds,
        **_kept(place, deployment),
        telemetry=_telemetry(topology.defaults),
        **_deployed(deployment),
    )


def synthesizer_settings(topology: Topology, deployment: Deployment) -> SynthesizerSettings:
    """Give the synthesizer's settings."""
    place = topology.synthesizer
    return SynthesizerSettings(
        name=place.name,
        listen=place.listen,
        model_seconds=place.model_seconds,
        telemetry=_telemetry(topology.defaults),
        **_deployed(deployment),
    )


def _kept(place: CoordinatorPlace, deployment: Deployment) -> dict[str, Any]:
    """Give what a place says of memory and planning."""
    names = (*MemorySettings.model_fields, *PlanningSettings.model_fields)
    said = {name: getattr(place, name) for name in names}
    return said | {"state_directory": place.state_directory or deployment.state_directory}


def _with_defaults(model: ModelSettings, defaults: Defaults) -> ModelSettings:
    filled = {
        key: value
        for key in ("context_tokens", "slots", "weight")
        if key not in model.model_fields_set and (value := getattr(defaults, key)) is not None
    }
    return model.model_copy(update=filled)


def _telemetry(defaults: Defaults) -> TelemetrySettings:
    return TelemetrySettings(
        metrics_port=0, log_level=defaults.log_level, otlp_endpoint=defaults.otlp_endpoint
    )


def _deployed(deployment: Deployment) -> dict[str, Any]:
    return {
        "tls": deployment.tls,
        "insecure": deployment.tls is None,
        "trust_domain": deployment.trust_domain,
        "ready_file": deployment.ready_file,
    }
