"""What the catalogue says agrees with itself, and files on disk are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorate import config, errors, models
from quorate.models import verification
from quorate.models.catalogue import Catalogue, CatalogueModel, canonical, catalogue
from quorate.models.store import Record, Store
from tools import catalogue as fill

ALL = catalogue().models
POCKET = models.pocket_models()["abacus"].read_bytes()
SHA256 = hashlib.sha256(POCKET).hexdigest()


def weights(model: CatalogueModel) -> int:
    """Count the weights of a model from its shape, as its architecture lays them out."""
    shape = model.shape
    heads, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    layer = 2 * shape.embedding * (heads + keys) + 3 * shape.embedding * shape.feed_forward
    norms = 4 if shape.architecture == "gemma2" else 2
    layer += norms * shape.embedding
    if shape.architecture == "qwen2":
        layer += heads + 2 * keys
    tokens = shape.vocabulary_tokens * shape.embedding
    return tokens + shape.layers * layer + shape.embedding


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_parameters_follow_from_the_shape(model: CatalogueModel) -> None:
    output = model.shape.vocabulary_tokens * model.shape.embedding
    # A file may hold the output's matrix twice; a model card counts it once then.
    assert model.parameters in (weights(model), weights(model) + output)


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_sizes_are_those_of_four_and_a_half_to_six_and_a_half_bits(model: CatalogueModel) -> None:
    held = weights(model)
    if model.shape.output_matrix:
        held += model.shape.vocabulary_tokens * model.shape.embedding
    assert 4.5 < 8 * model.size_bytes / held < 6.5


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_memory_is_estimated_before_the_file_is_there(model: CatalogueModel) -> None:
    memory = model.memory
    assert memory.cache_bytes >= 4096 * model.shape.kv_bytes_per_token
    assert 0.7 * model.size_bytes < memory.weights_bytes <= model.size_bytes
    assert memory.total_bytes > memory.weights_bytes + memory.cache_bytes


def test_files_differ_and_names_can_stand_in_a_topology() -> None:
    assert len({(model.repository, model.file) for model in ALL}) == len(ALL)
    checksums = [model.sha256 for model in ALL if model.sha256]
    assert len(set(checksums)) == len(checksums)
    for model in ALL:
        assert config.check_name(model.name) == model.name == canonical(model.name)
        assert model.name not in models.pocket_models()


def test_the_promised_models_are_there() -> None:
    for name in ("Llama-3.2-3B", "Qwen2.5-3B", "Qwen2.5-7B", "Qwen2.5-Coder-1.5B", "Phi-3-mini",
                 "gemma-2-2b", "CodeLlama-7B", "SmolLM2-135M", "SmolLM2-360M", "SmolLM2-1.7B",
                 "Qwen2.5-0.5B", "Qwen2.5-1.5B"):  # fmt: skip
        assert catalogue().find(name).name == canonical(name)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(errors.UnknownModel, match="Did you mean 'llama-3-2-3b'"):
        catalogue().find("lama-3.2-3b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"licence": "secret"}, "unknown licence"),
        ({"sha256": "ABC"}, "hexadecimal"),
        ({"file": "../x.gguf"}, "not the path"),
        ({"file": "x.bin"}, "not the path"),
        ({"colour": "red"}, "unknown key"),
    ],
)
def test_a_wrong_catalogue_is_refused(change: dict[str, str], said: str) -> None:
    data = catalogue().model_dump(mode="json")
    data["models"][0] |= change
    with pytest.raises(errors.ConfigurationError, match=said):
        config.validate(Catalogue, data, "test")


def test_a_name_twice_is_refused() -> None:
    data = catalogue().model_dump(mode="json")
    data["models"].append(data["models"][0])
    with pytest.raises(errors.ConfigurationError, match="more than once"):
        config.validate(Catalogue, data, "test")


def test_a_file_of_unknown_size_is_estimated() -> None:
    model = ALL[0].model_copy(update={"file_bytes": None})
    assert model.size_bytes == pytest.approx(ALL[0].size_bytes, rel=0.3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "models")
    store.directory.mkdir()
    return store


def test_a_file_copied_by_hand_is_accepted_and_its_checksum_kept(store: Store) -> None:
    store.path("mine").write_bytes(POCKET)
    first = verification.verify("mine", store)
    assert (first.sha256, first.problem) == (SHA256, "")
    assert "nobody told its checksum" in first.note
    assert store.records()["mine"].checksum_from == "file"
    store.path("mine").write_bytes(POCKET[:-1] + b"x")
    assert "SHA-256" in verification.verify("mine", store).problem


def test_a_truncated_file_is_told_by_its_size(store: Store) -> None:
    record = Record(name="mine", sha256=SHA256, file_bytes=len(POCKET), checksum_from="file")
    store.record(record)
    store.path("mine").write_bytes(POCKET[:1000])
    problem = verification.verify("mine", store).problem
    assert f"1000 bytes instead of {len(POCKET)}" in problem
    assert "quorate models rm mine" in problem


def test_a_catalogue_model_copied_by_hand_must_be_that_model(store: Store) -> None:
    model = catalogue().find("smollm2-135m")
    store.path(model.name).write_bytes(POCKET)
    assert f"instead of {model.file_bytes}" in verification.verify(model.name, store).problem
    assert store.records() == {}


def test_what_is_no_model_is_told(store: Store) -> None:
    store.path("mine").write_bytes(b"no model")
    assert "not a GGUF file" in verification.verify("mine", store).problem


def test_a_model_that_is_not_here_is_told_with_its_place(store: Store) -> None:
    with pytest.raises(errors.UnknownModel, match="copy the file there by hand") as caught:
        verification.verify("gemma-2-2b", store)
    assert str(store.path("gemma-2-2b")) in caught.value.message


def test_damaged_records_are_told(store: Store) -> None:
    (store.directory / "models.json").write_text("{")
    with pytest.raises(errors.ConfigurationError, match="quorate models verify"):
        store.records()
    (store.directory / "models.json").write_text(json.dumps({"sorts": {}}))
    with pytest.raises(errors.ConfigurationError, match="unknown key"):
        store.records()


def test_removing_frees_file_record_and_leftovers(store: Store) -> None:
    store.path("mine").write_bytes(POCKET)
    verification.verify("mine", store)
    (store.directory / "mine.0123456789abcdef.partial").write_bytes(b"12345")
    assert store.remove("mine") == len(POCKET) + 5
    assert store.all() == []
    assert store.records() == {}


def test_files_that_no_topology_could_name_are_left_out(store: Store) -> None:
    (store.directory / "Big Model.gguf").write_bytes(POCKET)
    assert store.all() == []


def test_the_directory_is_told_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QUORATE_DATA", str(tmp_path))
    assert Store().directory == tmp_path / "models"
    monkeypatch.delenv("QUORATE_DATA")
    assert Store().directory.name == "models"


def test_the_catalogue_is_filled_from_the_hub(
    hub: Any, new_repository: Callable[..., Any], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data = catalogue().model_dump(mode="json")
    kept, unknown, gone = data["models"][0], data["models"][1], data["models"][2]
    unknown |= {"revision": None, "sha256": None, "file_bytes": None}
    data["models"] = [kept, unknown, gone]
    for model in (kept, unknown):
        hub.repositories[model["repository"]] = new_repository({model["file"]: POCKET})
    file = tmp_path / "catalogue.yaml"
    file.write_text("# a comment\n" + yaml.safe_dump(data), encoding="utf-8")
    arguments = ["--file", str(file), "--endpoint", hub.endpoint]
    assert fill.main(arguments) == 1
    out, err = capsys.readouterr()
    assert f"{kept['name']}: CHANGED" in out
    assert f"no repository {gone['repository']}" in err
    written = config.validate(Catalogue, yaml.safe_load(file.read_text()), "test")
    first, second, third = written.models
    assert first.sha256 == kept["sha256"]
    assert (second.sha256, second.file_bytes) == (SHA256, len(POCKET))
    assert third.model_dump(mode="json") == gone
    assert file.read_text().startswith("# a comment\n")
    fill.main([*arguments, "--accept"])
    written = config.validate(Catalogue, yaml.safe_load(file.read_text()), "test")
    assert written.models[0].sha256 == SHA256
