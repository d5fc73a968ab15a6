"""What the settings of a model behind another engine may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorate import config, topology
from quorate.config import ModelSettings, NodeSettings
from quorate.errors import ConfigurationError

OPENAI = {"backend": "openai", "url": "http://desk:8080"}


def read(**model: object) -> ModelSettings:
    data = {"name": "n1", "insecure": True, "models": [{"name": "qwen", **model}]}
    return config.validate(NodeSettings, data, "node.yaml").models[0]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            {"backend": "olama"},
            r"models\.0\.backend is 'olama'.*'llama\.cpp', 'ollama' or 'openai'",
        ),
        ({"backend": "openai"}, "the backend openai needs a url"),
        ({"url": "http://desk:1"}, "url is for the backend ollama or openai"),
        ({**OPENAI, "path": "a.gguf"}, r"path is for the backend llama\.cpp"),
        ({**OPENAI, "load": "on_demand"}, r"load is for the backend llama\.cpp"),
        ({**OPENAI, "replicas": 2}, r"replicas is for the backend llama\.cpp"),
        ({**OPENAI, "keep_alive": "5m"}, "keep_alive is for the backend ollama"),
        ({"backend": "ollama", "dialect": "vllm"}, "dialect is for the backend openai"),
        ({**OPENAI, "dialect": "lmstudio"}, "'openai', 'llama.cpp' or 'vllm'"),
        ({**OPENAI, "url": "desk:8080"}, "is not the address of a server"),
        ({**OPENAI, "url": "ftp://desk"}, "is not the address of a server"),
        ({**OPENAI, "url": "http://desk:1?x=1"}, "has a query"),
        ({**OPENAI, "sampling": ["topk"]}, r"models\.0\.sampling\.0 is 'topk'.*'top_k'"),
        ({**OPENAI, "api_key_file": "a", "api_key_variable": "B"}, "both given"),
        ({**OPENAI, "remote_mode": "a"}, "Did you mean 'remote_model'"),
        ({**OPENAI, "silence_seconds": 0}, r"silence_seconds is 0"),
        ({"backend": "ollama", "keep_alive": "forever"}, "is not a time"),
    ],
)
def test_what_does_not_go_together_is_named(model: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(**model)


def test_a_key_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="api_key_file") as caught:
        read(backend="openai", url="http://me:hunter2@desk")
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["http://desk:1", "http://desk:1/", "http://desk:1/v1", "http://desk:1/v1/"]
)
def test_the_usual_endings_of_a_url_mean_the_same(url: str) -> None:
    assert read(backend="openai", url=url).url == "http://desk:1"


def test_a_number_of_seconds_to_keep_a_model_is_read_as_text() -> None:
    assert read(backend="ollama", keep_alive=-1).keep_alive == "-1"


def test_the_file_of_a_key_is_found_beside_the_topology(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(
        "nodes: [{name: n, models: [{name: q, backend: openai, url: 'http://h', api_key_file: k}]}]"
    )
    model = topology.read(path).nodes[0].models[0]
    assert model.api_key_file == tmp_path / "k"
    assert model.path is None
    written = tmp_path / "written.yaml"
    written.write_text(topology.to_yaml(topology.read(path)))
    assert topology.read(written).nodes[0].models[0] == model
