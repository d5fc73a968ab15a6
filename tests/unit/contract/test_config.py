"""Settings: what is read, what is refused, and what the reader is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.config import (
    CoordinatorSettings,
    NodeSettings,
    SynthesizerSettings,
    check_address,
    check_name,
    load,
    parse_bytes,
    validate,
)
from quorate.errors import ConfigurationError

NODE = {"name": "n1", "models": [{"name": "abacus"}]}


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path, "name: n1\nmemory: 4GiB\nmodels:\n  - {name: abacus, weight: 2}\n")
    settings = load(NodeSettings, path, {})
    assert settings.memory == 4 * 2**30
    assert settings.models[0].weight == 2
    assert settings.listen == "127.0.0.1:0"
    assert settings.tls is None


def test_the_environment_overrides_the_file_one_level_down(tmp_path: Path) -> None:
    path = write(tmp_path, "name: c1\ntelemetry: {metrics_port: 1, log_level: DEBUG}\n")
    environment = {"QUORATE_TELEMETRY__METRICS_PORT": "9090", "PATH": "/bin"}
    settings = load(CoordinatorSettings, path, environment)
    assert settings.telemetry.metrics_port == 9090
    assert settings.telemetry.log_level == "DEBUG"


def test_the_environment_alone_is_enough() -> None:
    settings = load(SynthesizerSettings, None, {"QUORATE_NAME": "s1", "QUORATE_INSECURE": "true"})
    assert (settings.name, settings.insecure) == ("s1", True)


def test_variables_of_the_command_line_are_not_settings() -> None:
    environment = {"QUORATE_NAME": "s1", "QUORATE_HOME": "/x", "QUORATE_DATA": "/y"}
    assert load(SynthesizerSettings, None, environment).name == "s1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: s1\ndrain_second: 3", "unknown key drain_second. Did you mean 'drain_seconds'"),
        ("name: s1\ntelemetry: {metric_port: 1}", "'metrics_port'"),
        ("name: S_1", "'S_1' is not a name"),
        ("name: s1\nlisten: localhost", "listen: 'localhost' is not an address"),
        ("name: s1\nprobe_port: 70000", "probe_port is 70000: "),
        ("listen: a:1", "name is missing"),
        ("name: [", "is not YAML"),
        ("- name", "must hold keys and values"),
        ("", "must hold keys and values"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        load(SynthesizerSettings, path, {})
    assert told in raised.value.message
    assert str(path) in raised.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(SynthesizerSettings, tmp_path / "absent.yaml", {})


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is not YAML"):
        load(SynthesizerSettings, path, {})


def test_an_unknown_variable_is_fatal() -> None:
    with pytest.raises(ConfigurationError, match="unknown key nam"):
        load(SynthesizerSettings, None, {"QUORATE_NAM": "s1"})


def test_a_variable_that_is_not_yaml_is_named() -> None:
    with pytest.raises(ConfigurationError, match="QUORATE_NAME is not YAML"):
        load(SynthesizerSettings, None, {"QUORATE_NAME": "["})


def test_a_variable_below_a_plain_value_is_refused_not_lost(tmp_path: Path) -> None:
    environment = {"QUORATE_NAME": "s1", "QUORATE_NAME__INNER": "2"}
    with pytest.raises(ConfigurationError, match="QUORATE_NAME__INNER"):
        load(SynthesizerSettings, None, environment)


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        validate(NodeSettings, {"nam": "n1", "models": [{"name": "a", "wieght": 1}]}, "test")
    message = raised.value.message
    assert "'name'" in message
    assert "'weight'" in message
    assert "name is missing" in message


def test_an_unknown_key_below_a_value_without_keys_lists_none() -> None:
    with pytest.raises(ConfigurationError, match="name"):
        validate(NodeSettings, {**NODE, "name": {"deep": 1}}, "test")


def test_settings_cannot_be_changed() -> None:
    settings = validate(NodeSettings, NODE, "test")
    with pytest.raises(ValueError, match="frozen"):
        settings.name = "n2"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), (5, 5), ("1kB", 1000), ("1 KiB", 1024), ("1.5GiB", 3 * 2**29), ("2TB", 2 * 10**12)],
)
def test_sizes_are_read_with_their_units(text: object, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1", "1 GiX", "1,5GB", "nan", None, [1]])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_bytes(text)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True))
def test_names_that_fit_a_host_name_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a/b", "a.b", "a" * 64, "a\n"])
def test_names_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        check_name(name)


@pytest.mark.parametrize("address", ["", "a", ":1", "a:", "a:x", "a:65536", "a:-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        check_address(address)
