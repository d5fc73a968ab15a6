"""`quorate models …` as a user types it, against a hub on loopback and files on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quorate import models
from quorate.cli import models_pull, up
from quorate.cli.app import app
from quorate.cli.exits import Exit
from quorate.client import local_mesh
from quorate.client.local_mesh import Home, MeshState, ProcessState, ServiceState
from quorate.errors import ModelUnusable
from quorate.models import proposal
from quorate.models.catalogue import Catalogue, catalogue
from quorate.models.store import Store

POCKET = models.pocket_models()["abacus"].read_bytes()
REPOSITORY = "someone/tiny-GGUF"
SOURCE = f"hf:{REPOSITORY}/Tiny_v1.gguf"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUORATE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def online(hub: Any, new_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    hub.repositories[REPOSITORY] = new_repository({"Tiny_v1.gguf": POCKET})
    # The library reads HF_ENDPOINT when it is imported; the test of Ctrl-C sets the variable.
    template = f"{hub.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    return hub


def run(*arguments: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["models", *arguments])
    return ended.exit_code, ended.stdout, ended.stderr


def run_json(*arguments: str) -> tuple[int, Any]:
    code, out, _ = run(*arguments, "--json")
    (line,) = out.splitlines()
    return code, json.loads(line)


def test_a_pulled_model_is_listed_verified_and_removed(data: Path, online: Any) -> None:
    code, out, err = run("pull", SOURCE)
    assert code == Exit.OK, err
    assert "tiny-v1 is here" in out
    assert (data / "models" / "tiny-v1.gguf").read_bytes() == POCKET
    assert "tiny-v1" in run("list")[1]
    code, out, _ = run("verify", "Tiny v1")
    assert (code, "is right" in out) == (Exit.OK, True)
    assert run("rm", "tiny-v1", "--yes")[0] == Exit.OK
    assert Store().all() == []
    assert run("rm", "tiny-v1", "--yes")[0] == Exit.FAILED


def test_json_of_every_command_is_one_object(data: Path, online: Any, tmp_path: Path) -> None:
    code, pulled = run_json("pull", SOURCE, "--name", "mine")
    assert (code, pulled["models"][0]["name"]) == (Exit.OK, "mine")
    code, listed = run_json("list")
    assert listed["others"][0]["checksum_from"] == "hub"
    assert {model["name"] for model in listed["catalogue"]} >= {"llama-3-2-3b", "gemma-2-2b"}
    code, checked = run_json("verify")
    assert (code, checked["ok"]) == (Exit.OK, True)
    code, fitted = run_json("fit", "--installed", "--memory", "1GiB", "--context", "512")
    assert fitted["nodes"][0]["models"][0]["name"] == "mine"
    assert fitted["to_pull"] == []
    code, removed = run_json("rm", "mine", "--yes")
    assert removed == {"removed": ["mine"], "freed_bytes": len(POCKET)}
    code, failed = run_json("mesh", "--home", str(tmp_path))
    assert (code, failed["error"]["kind"]) == (Exit.NO_MESH, "NO_MESH")


def test_what_is_here_is_not_brought_again(data: Path, online: Any) -> None:
    run("pull", SOURCE)
    before = len(online.asked)
    code, out, _ = run("pull", SOURCE)
    assert (code, "here already" in out) == (Exit.OK, True)
    assert len(online.asked) == before


def test_models_alone_lists_and_says_where_options_belong(data: Path, tmp_path: Path) -> None:
    alone = run("--home", str(tmp_path))
    assert alone[0] == Exit.OK
    assert alone == run("list", "--home", str(tmp_path))
    code, _, err = run("--json", "list")
    assert code == Exit.USAGE
    assert "behind" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("pull", "lama-3.2-3b"), Exit.FAILED, "Did you mean 'llama-3-2-3b'"),
        (("pull", "hf:a/b"), Exit.USAGE, "hf:OWNER/REPOSITORY/FILE.gguf"),
        (("pull", "hf:no/such/x.gguf"), Exit.FAILED, "no repository no/such"),
        (("pull", SOURCE, SOURCE, "--name", "x"), Exit.USAGE, "one model"),
        (("pull", SOURCE, "--name", "abacus"), Exit.USAGE, "another model is called that"),
        (("pull", SOURCE, "--name", "gemma-2-2b"), Exit.USAGE, "--name"),
        (("pull", SOURCE, "--name", "---"), Exit.USAGE, "1 to 63"),
        (("pull", "gemma-2-2b", "--name", "x"), Exit.USAGE, "have their names"),
        (("verify", "gemma-2-2b"), Exit.FAILED, "quorate models pull gemma-2-2b"),
        (("rm", "nothing"), Exit.FAILED, "not on disk"),
        (("fit", "--preset", "slow"), Exit.USAGE, "auto_fast"),
        (("fit", "--memory", "much"), Exit.USAGE, "8GiB"),
        (("fit", "--memory", "1MB"), Exit.FAILED, "no model fits"),
        (("fit", "--installed"), Exit.FAILED, "no model is on disk"),
    ],
)
def test_mistakes_say_how_to_mend_them(
    arguments: tuple[str, ...], code: Exit, said: str, data: Path, online: Any
) -> None:
    ended, _, err = run(*arguments)
    assert ended == code
    assert said in err


def test_one_name_does_not_hide_two_files(
    data: Path, online: Any, new_repository: Callable[..., Any]
) -> None:
    online.repositories["other/tiny"] = new_repository({"Tiny_v1.gguf": POCKET})
    run("pull", SOURCE)
    code, _, err = run("pull", "hf:other/tiny/Tiny_v1.gguf")
    assert code == Exit.USAGE
    assert REPOSITORY in err


def test_a_damaged_file_fails_verification(data: Path, online: Any) -> None:
    run("pull", SOURCE)
    Store().path("tiny-v1").write_bytes(POCKET[:-1] + b"x")
    code, checked = run_json("verify")
    assert (code, checked["ok"]) == (Exit.FAILED, False)
    assert "SHA-256" in checked["models"][0]["problem"]


def test_a_file_copied_by_hand_is_not_overwritten(data: Path, online: Any) -> None:
    (data / "models").mkdir(parents=True)
    (data / "models" / "tiny-v1.gguf").write_bytes(POCKET)
    code, _, err = run("pull", SOURCE)
    assert code == Exit.FAILED
    assert "quorate models verify tiny-v1" in err
    assert run("verify")[0] == Exit.OK
    assert run("pull", SOURCE)[0] == Exit.OK


def test_without_a_terminal_nothing_is_removed_unasked(data: Path, online: Any) -> None:
    run("pull", SOURCE)
    code, _, err = run("rm", "tiny-v1")
    assert code == Exit.USAGE
    assert "--yes" in err
    assert Store().find("tiny-v1")


def test_what_the_running_mesh_uses_is_not_removed(data: Path, online: Any, tmp_path: Path) -> None:
    run("pull", SOURCE)
    home, mine = tmp_path / "home", ProcessState.of(os.getpid())
    Home(home).run.mkdir(parents=True)
    node = {"name": "n1", "insecure": True, "models": [{"name": "tiny-v1"}]}
    (Home(home).run / "node-n1.yaml").write_text(json.dumps(node))
    service = ServiceState(
        key="node-n1", role="node", name="n1", process=mine, address="127.0.0.1:1", log=tmp_path
    )
    mesh = MeshState(
        supervisor=mine, coordinator="127.0.0.1:2", coordinator_name="c", services=(service,)
    )
    local_mesh.write(home, mesh)
    code, _, err = run("rm", "tiny-v1", "--yes", "--home", str(home))
    assert code == Exit.FAILED
    assert f"quorate down --home {home}" in err
    assert Store().find("tiny-v1")


def test_fit_writes_a_topology_and_names_what_to_pull_first(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "mesh.yaml"
    code, said, err = run(
        "fit", "--preset", "heavy", "--memory", "16GiB", "--vram", "0", "--nodes", "2",
        "--out", str(out),
    )  # fmt: skip
    assert code == Exit.OK, err
    first = next(line for line in said.splitlines() if line.startswith("First:"))
    assert first in out.read_text()
    assert f"Then: quorate up --topology {out}" in said
    with pytest.raises(ModelUnusable, match="quorate models pull"):
        up.read_topology(up.Wanted(tmp_path, out))


def test_fit_pulls_what_is_missing_and_check_accepts_its_topology(
    data: Path, tmp_path: Path, online: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = {"repository": REPOSITORY, "file": "Tiny_v1.gguf", "revision": None, "sha256": None}
    model = catalogue().find("smollm2-135m").model_copy(update=change)
    small = Catalogue(licences=catalogue().licences, models=[model])
    for module in (proposal, models_pull):
        monkeypatch.setattr(module, "catalogue", lambda: small)
    out = tmp_path / "mesh.yaml"
    code, _, err = run("fit", "--memory", "1GiB", "--pull", "--out", str(out))
    assert code == Exit.OK, err
    assert Store().records()["smollm2-135m"].checksum_from == "hub"
    checked = CliRunner().invoke(app, ["topology", "check", str(out)])
    assert checked.exit_code == Exit.OK, checked.stderr
    (node,) = up.read_topology(up.Wanted(tmp_path, out)).nodes
    assert [one.path for one in node.models] == [Store().path("smollm2-135m")]


def test_ctrl_c_keeps_what_has_come_and_the_same_command_goes_on(
    data: Path, online: Any, hub: Any
) -> None:
    hub.stall_after = len(POCKET) // 2
    command = [sys.executable, "-m", "quorate.cli", "models", "pull", SOURCE]
    environment = {**os.environ, "HF_ENDPOINT": hub.endpoint}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as pulling:
        limit = time.monotonic() + 60
        while not any(path.stat().st_size for path in Store().partials("tiny-v1")):
            assert time.monotonic() < limit
            time.sleep(0.05)
        pulling.send_signal(signal.SIGINT)
        _, err = pulling.communicate(timeout=30)
    assert pulling.returncode == Exit.INTERRUPTED
    assert f"`quorate models pull {SOURCE}` goes on from there" in err
    assert "Traceback" not in err
    hub.stall_after = None
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == Exit.OK, ended.stderr
    assert Store().path("tiny-v1").read_bytes() == POCKET
    assert hub.downloads()[-1].startswith("bytes=")
