"""The topology file: what is refused, what is filled in, and which settings follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from quorate import config, topology
from quorate.config import CoordinatorSettings, NodeSettings, SynthesizerSettings, TlsSettings
from quorate.errors import ConfigurationError
from quorate.topology import Deployment, Topology

TLS = TlsSettings(
    certificate=Path("/c.pem"), key=Path("/c.key"), authorities=Path("/ca.pem")
)  # fmt: skip
SECURE = Deployment(TLS, Path("/run/x.ready"), "example.test")


def read(text: str, directory: Path) -> Topology:
    path = directory / "mesh.yaml"
    path.write_text(text, encoding="utf-8")
    return topology.read(path)


def refusal(text: str, directory: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(text, directory)
    return str(refused.value)


ONE = "nodes: [{name: n1, models: [{name: abacus}]}]\n"


def test_default_topology_has_three_nodes_of_two_pocket_models() -> None:
    mesh = topology.default()
    assert [(node.name, [model.name for model in node.models]) for node in mesh.nodes] == [
        ("n1", ["abacus", "atlas"]),
        ("n2", ["scribe", "forge"]),
        ("n3", ["compass", "marshal"]),
    ]
    assert set(mesh.synthesizer.models) <= mesh.model_names
    assert mesh.coordinator.planner == "marshal"


def test_default_topology_is_shipped_with_the_comments_that_explain_it() -> None:
    assert topology.default_text().startswith("#")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nodes: []", "at least 1 item"),
        ("{}", "nodes is missing"),
        ("nodes: [{name: n1, models: []}]", "nodes.0.models is []"),
        ("nodes: [{name: n1}]", "nodes.0.models is missing"),
        ("nodes: [{name: N 1, models: [{name: a}]}]", "'N 1' is not a name"),
        ("nodes: [{name: n1, models: [{name: a, weigt: 2}]}]", "Did you mean 'weight'?"),
        ("nodes: [{name: n1, modelz: [{name: a}]}]", "Did you mean 'models'?"),
        ("nodes: [{name: n1, models: [{name: a, weight: 0}]}]", "nodes.0.models.0.weight"),
        ("nodes: [{name: n1, models: [{name: a, reliability: {math: 2}}]}]", "reliability.math"),
        ("nodes: [{name: n1, memory: much, models: [{name: a}]}]", "'much' is not a size"),
        ("nodes: [{name: n1, port: 70000, models: [{name: a}]}]", "nodes.0.port"),
        ("nodes: [{name: n1, host: 'a b', models: [{name: a}]}]", "'a b' is not a host"),
        ("nodes: [{name: n1, host: '', models: [{name: a}]}]", "'' is not a host"),
        (
            "nodes: [{name: n1, models: [{name: a}]}, {name: n1, models: [{name: b}]}]",
            "the node name 'n1' occurs more than once",
        ),
        (
            "nodes: [{name: n1, models: [{name: a}, {name: a}]}]",
            "the model name 'a' occurs more than once",
        ),
        (ONE + "synthesizer: {models: [abacsu]}", "Did you mean 'abacus'?"),
        (ONE + "coordinator: {planner: marshall}", "planner 'marshall' is on no node. Known: abac"),
        (ONE + "coordinator: {journal_bytes: 10}", "coordinator.journal_bytes is 10"),
        (ONE + "coordinator: {journal_files: 0}", "coordinator.journal_files is 0"),
        (ONE + "coordinator: {jurnal: x}", "Did you mean 'journal'"),
        (ONE + "groups: 3", "groups"),
        (ONE + "coordinator: {strategy: majorty}", "Did you mean 'majority'"),
        (
            "synthesizer: {port: 7001}\nnodes: [{name: n1, port: 7001, models: [{name: a}]}]",
            "two services would listen on 127.0.0.1:7001",
        ),
        (
            "groups: [fast]\nnodes: [{name: n1, group: fats, models: [{name: a}]}]",
            "group 'fats', which is not declared. Did you mean 'fast'?",
        ),
        ("- a", "it must hold keys and values"),
    ],
)
def test_wrong_topology_is_refused_with_the_reason(
    text: str, expected: str, tmp_path: Path
) -> None:
    message = refusal(text, tmp_path)
    assert expected in message
    assert message.startswith(str(tmp_path / "mesh.yaml"))


def test_every_problem_of_a_topology_is_named_at_once(tmp_path: Path) -> None:
    message = refusal("nodes: [{name: n1, models: [{name: a, weigt: 2}], crores: 1}]", tmp_path)
    assert "'weight'" in message
    assert "'cores'" in message


def test_groups_may_be_a_list_of_names_or_described(tmp_path: Path) -> None:
    node = "nodes: [{name: n1, group: fast, models: [{name: a}]}]\n"
    listed = read(node + "groups: [fast, slow]", tmp_path)
    described = read(node + "groups: {fast: {description: GPUs}, slow: }", tmp_path)
    assert set(listed.groups) == set(described.groups) == {"fast", "slow"}
    assert described.groups["fast"].description == "GPUs"


def test_a_group_needs_no_declaration_when_none_is_declared(tmp_path: Path) -> None:
    assert read("nodes: [{name: n1, group: g, models: [{name: a}]}]", tmp_path).nodes[0].group


def test_model_paths_are_relative_to_the_file_and_missing_ones_are_found(tmp_path: Path) -> None:
    (tmp_path / "here.gguf").touch()
    mesh = read(
        "nodes: [{name: n1, models: [{name: a, path: here.gguf}, {name: b, path: /no/b.gguf},"
        " {name: c}]}]",
        tmp_path,
    )
    paths = [model.path for model in mesh.nodes[0].models]
    assert paths == [tmp_path / "here.gguf", Path("/no/b.gguf"), None]
    assert topology.missing_files(mesh) == [Path("/no/b.gguf")]


def test_topology_survives_being_written_and_read(tmp_path: Path) -> None:
    mesh = topology.default()
    assert read(topology.to_yaml(mesh), tmp_path) == mesh


def test_node_settings_carry_the_whole_description_of_the_node(tmp_path: Path) -> None:
    mesh = read(
        """
        nodes:
          - name: n1
            host: 127.0.0.2
            port: 7101
            group: fast
            memory: 1GiB
            cores: 2
            models: [{name: abacus, weight: 2, replicas: 2, reliability: {math: 0.9}}]
        """,
        tmp_path,
    )
    settings = topology.node_settings(mesh, mesh.nodes[0], ["127.0.0.1:7000"], SECURE)
    assert settings == NodeSettings(
        name="n1",
        listen="127.0.0.2:7101",
        group="fast",
        memory=2**30,
        cores=2,
        models=mesh.nodes[0].models,
        coordinators=["127.0.0.1:7000"],
        telemetry=config.TelemetrySettings(metrics_port=0),
        tls=TLS,
        trust_domain="example.test",
        ready_file=Path("/run/x.ready"),
    )


def test_defaults_fill_only_what_a_node_and_its_models_leave_out(tmp_path: Path) -> None:
    mesh = read(
        """
        defaults: {memory: 2GiB, cores: 4, context_tokens: 512, slots: 3, weight: 5, log_level: DEBUG}
        nodes:
          - {name: n1, cores: 1, models: [{name: a, slots: 8}, {name: b, weight: 1}]}
        """,  # noqa: E501
        tmp_path,
    )
    settings = topology.node_settings(mesh, mesh.nodes[0], [], SECURE)
    assert (settings.memory, settings.cores) == (2 * 2**30, 1)
    assert [(m.context_tokens, m.slots, m.weight) for m in settings.models] == [
        (512, 8, 5),
        (512, 3, 1),
    ]
    assert settings.telemetry.log_level == "DEBUG"


def test_coordinator_and_synthesizer_settings_follow_the_topology(tmp_path: Path) -> None:
    mesh = read(
        ONE + "coordinator: {name: boss, port: 7000, strategy: weighted, lease_seconds: 3,"
        " heartbeat_seconds: 1, question_seconds: 9, ballot_seconds: 8}\n"
        "synthesizer: {models: [abacus], model_seconds: 7}\n",
        tmp_path,
    )
    coordinator = topology.coordinator_settings(mesh, "127.0.0.1:7001", SECURE)
    assert coordinator == CoordinatorSettings(
        name="boss",
        listen="127.0.0.1:7000",
        synthesizer="127.0.0.1:7001",
        synthesizer_models=["abacus"],
        strategy="weighted",
        lease_seconds=3,
        heartbeat_seconds=1,
        question_seconds=9,
        ballot_seconds=8,
        telemetry=config.TelemetrySettings(metrics_port=0),
        tls=TLS,
        trust_domain="example.test",
        ready_file=Path("/run/x.ready"),
    )
    synthesizer = topology.synthesizer_settings(mesh, SECURE)
    assert isinstance(synthesizer, SynthesizerSettings)
    assert (synthesizer.name, synthesizer.model_seconds, synthesizer.tls) == ("synthesizer", 7, TLS)


def test_who_plans_and_where_plans_are_told_reaches_the_coordinator(tmp_path: Path) -> None:
    mesh = read(
        ONE + "coordinator: {planner: abacus, journal: logs/plans.jsonl, journal_bytes: 4096,"
        " journal_files: 2, state_directory: state}\n",
        tmp_path,
    )
    settings = topology.coordinator_settings(mesh, None, SECURE)
    assert settings.planner == "abacus"
    assert settings.journal == tmp_path / "logs" / "plans.jsonl"
    assert (settings.journal_bytes, settings.journal_files) == (4096, 2)
    assert settings.state_directory == tmp_path / "state"


def test_a_journal_may_lie_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for given, expected in (("/var/p.jsonl", "/var/p.jsonl"), ("~/p", "/home/someone/p")):
        mesh = read(ONE + f"coordinator: {{journal: {given}}}", tmp_path)
        assert mesh.coordinator.journal == Path(expected)
    assert read(ONE, tmp_path).coordinator.journal is None


def test_without_credentials_every_service_is_marked_insecure() -> None:
    mesh = topology.default()
    bare = Deployment(None, None)
    assert topology.node_settings(mesh, mesh.nodes[0], [], bare).insecure
    assert topology.coordinator_settings(mesh, None, bare).insecure
    assert topology.synthesizer_settings(mesh, bare).insecure


def test_settings_are_read_back_by_the_services_as_they_were_written(tmp_path: Path) -> None:
    mesh = topology.default()
    settings = topology.node_settings(mesh, mesh.nodes[1], ["127.0.0.1:7000"], SECURE)
    path = tmp_path / "n2.yaml"
    path.write_text(topology.to_yaml(settings), encoding="utf-8")
    assert config.load(NodeSettings, path, {}) == settings
    assert yaml.safe_load(path.read_text())["name"] == "n2"


def test_an_ipv6_host_is_written_in_brackets() -> None:
    node = topology.default().nodes[0].model_copy(update={"host": "::1", "port": 7})
    assert node.listen == "[::1]:7"
