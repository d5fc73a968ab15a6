"""The pure parts of running a local mesh, and processes that die, hang or obey."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from quorate import topology
from quorate.cli import up
from quorate.cli.supervision import credentials, lock, process, readiness
from quorate.cli.supervision.credentials import USER
from quorate.cli.supervision.plan import Site, check_places
from quorate.cli.supervision.process import Child, Command
from quorate.cli.supervision.supervisor import pause_seconds
from quorate.client import local_mesh
from quorate.client.local_mesh import Home, MeshState, ProcessState
from quorate.client.mesh_results import Model, Node
from quorate.errors import AlreadyExists, ConfigurationError, NoMesh, NotReady
from quorate.identity import Role, describe

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def node(name: str, **states: str) -> Node:
    models = tuple(Model(model, state) for model, state in states.items())
    return Node(name, "127.0.0.1:1", "serving", models=models)


ALL = (
    node("n1", abacus="ready", atlas="ready"),
    node("n2", scribe="ready", forge="ready"),
    node("n3", compass="ready", marshal="ready"),
)


def test_mesh_is_complete_when_every_promised_model_is_ready() -> None:
    assert all(model.ready for model in readiness.compare(topology.default(), ALL))


def test_what_is_missing_is_named() -> None:
    nodes = (node("n1", abacus="loading"), node("n2", scribe="ready", forge="ready"))
    models = readiness.compare(topology.default(), nodes)
    assert readiness.outstanding(models) == (
        "abacus on n1 is loading, atlas on n1 is unknown to the node, "
        "compass on n3 is not registered, marshal on n3 is not registered"
    )


def test_a_model_that_waits_for_its_first_request_is_ready() -> None:
    waiting = Model("atlas", "available", on_demand=True)
    unloaded = Model("abacus", "available")
    models = readiness.compare(
        topology.default(), (Node("n1", "", "serving", models=(waiting, unloaded)), *ALL[1:])
    )
    assert readiness.outstanding(models) == "abacus on n1 is available"


def test_a_model_that_cannot_be_used_ends_the_wait_with_its_problem() -> None:
    broken = Node("n1", "", "serving", models=(Model("abacus", "failed", "not a GGUF file"),))
    models = readiness.compare(topology.default(), (broken, *ALL[1:]))
    with pytest.raises(NotReady, match="abacus on n1: not a GGUF file"):
        readiness.refuse_failed(models)


def test_pauses_before_a_restart_grow_to_a_limit() -> None:
    assert [pause_seconds(restarts) for restarts in (0, 1, 2, 3, 20)] == [0.5, 1, 2, 4, 30]


def test_first_use_makes_certificates_for_everybody_and_later_ones_keep_them(
    tmp_path: Path,
) -> None:
    mesh = topology.default()
    made = credentials.provide(tmp_path / "certs", mesh, NOW)
    assert set(made.leaves) == {
        (Role.COORDINATOR, "coordinator"),
        (Role.SYNTHESIZER, "synthesizer"),
        (Role.NODE, "n1"),
        (Role.NODE, "n2"),
        (Role.NODE, "n3"),
        (Role.CLIENT, USER),
        (Role.ADMIN, USER),
        (Role.BENCH, USER),
    }
    before = [leaf.certificate.read_bytes() for leaf in made.leaves.values()]
    again = credentials.provide(tmp_path / "certs", mesh, NOW + timedelta(days=1))
    assert [leaf.certificate.read_bytes() for leaf in again.leaves.values()] == before


def test_certificates_are_renewed_before_they_end_and_when_a_host_is_new(tmp_path: Path) -> None:
    mesh = topology.default()
    old = credentials.provide(tmp_path, mesh, NOW).leaves[Role.NODE, "n1"]
    before = describe(old.certificate)
    credentials.provide(tmp_path, mesh, NOW + timedelta(days=80))
    renewed = describe(old.certificate)
    assert renewed.not_after > before.not_after
    moved = mesh.nodes[0].model_copy(update={"host": "192.0.2.7"})
    mesh = mesh.model_copy(update={"nodes": [moved]})
    credentials.provide(tmp_path, mesh, NOW + timedelta(days=80))
    assert "192.0.2.7" in describe(old.certificate).subject_alternative_names


def test_settings_of_every_service_carry_its_own_identity(tmp_path: Path) -> None:
    home = Home(tmp_path)
    mesh = topology.default()
    site = Site(home, mesh, credentials.provide(home.certificates, mesh, NOW))
    for service in (site.synthesizer(), site.coordinator(), *site.nodes()):
        settings = site.settings(service, "127.0.0.1:1", "127.0.0.1:2")
        assert settings.tls is not None
        identity = describe(settings.tls.certificate).spiffe
        assert identity is not None
        assert (identity.role, identity.name) == (service.role, service.name)
        assert settings.trust_domain == identity.trust_domain
        assert settings.ready_file == home.run / f"{service.key}.ready"
        assert service.module == f"services.{service.role}"


def test_mesh_without_certificates_is_marked_insecure(tmp_path: Path) -> None:
    site = Site(Home(tmp_path), topology.default(), None)
    settings = site.settings(site.nodes()[0], coordinator="127.0.0.1:2")
    assert settings.insecure
    assert settings.tls is None


def test_services_of_other_machines_are_refused() -> None:
    mesh = topology.default()
    away = mesh.nodes[0].model_copy(update={"host": "192.0.2.7"})
    mesh = mesh.model_copy(update={"nodes": [away]})
    with pytest.raises(ConfigurationError, match=r"node n1 belongs on 192\.0\.2\.7"):
        check_places(mesh, {"192.0.2.1"}, insecure=False)
    with pytest.raises(ConfigurationError, match="stays on loopback"):
        check_places(mesh, {"192.0.2.7"}, insecure=True)
    check_places(mesh, {"192.0.2.7"}, insecure=False)


def test_home_is_held_by_one_mesh_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with lock.held(home):
        with pytest.raises(AlreadyExists, match="being started"), lock.held(home):
            pass
        mine = ProcessState.of(os.getpid())
        state = MeshState(supervisor=mine, coordinator="127.0.0.1:7", coordinator_name="c")
        local_mesh.write(home.path, state)
        with pytest.raises(AlreadyExists, match=r"running already.*quorate down"), lock.held(home):
            pass
    with lock.held(home):
        pass


def test_mesh_state_is_read_back_as_written_while_its_process_lives(tmp_path: Path) -> None:
    mine = ProcessState.of(os.getpid())
    state = MeshState(supervisor=mine, coordinator="127.0.0.1:7", coordinator_name="c")
    local_mesh.write(tmp_path, state)
    assert local_mesh.running(tmp_path) == state


def test_state_of_a_process_that_is_gone_or_another_is_no_mesh(tmp_path: Path) -> None:
    reused = ProcessState(pid=os.getpid(), began=1.0)
    gone = ProcessState(pid=2**22 + 1, began=1.0)
    for supervisor in (reused, gone):
        state = MeshState(supervisor=supervisor, coordinator="127.0.0.1:7", coordinator_name="c")
        local_mesh.write(tmp_path, state)
        with pytest.raises(NoMesh, match="quorate up --detach"):
            local_mesh.running(tmp_path)


def test_no_or_damaged_state_is_no_mesh(tmp_path: Path) -> None:
    assert local_mesh.find(tmp_path) is None
    Home(tmp_path).state.write_text("{")
    assert local_mesh.find(tmp_path) is None


def test_reserved_variables_are_not_passed_on() -> None:
    passed = process.passed_on({"QUORATE_HOME": "/h", "QUORATE_DATA": "/d", "PATH": "/bin"})
    assert passed == {"PATH": "/bin"}


def test_ending_is_told_in_words() -> None:
    assert process.ending(-signal.SIGKILL) == "was killed by SIGKILL"
    assert process.ending(3) == "ended with exit code 3"


def test_tail_of_a_log_shows_messages_of_json_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    record = json.dumps({"level": "ERROR", "message": "port taken"})
    log.write_text(f"plain\n\n{record}\n[1]\n")
    assert process.tail(log) == "  plain\n  ERROR port taken\n  [1]"
    log.write_text("")
    assert "empty" in process.tail(log)
    assert "cannot be read" in process.tail(tmp_path / "none.log")


SERVICE = """
import json, os, signal, subprocess, sys, time
mode = os.environ["MODE"]
if mode == "dies":
    sys.exit("the model file is missing")
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if mode != "hangs":
    ready = {"address": "127.0.0.1:9", "pid": os.getpid(), "child": child.pid}
    with open(sys.argv[2] + ".partial", "w") as file:
        json.dump(ready, file)
    os.rename(sys.argv[2] + ".partial", sys.argv[2])
time.sleep(600)
"""


def command(directory: Path) -> Command:
    (directory / "stand_in_service.py").write_text(SERVICE)
    ready = directory / "x.ready"
    return Command("node-x", "stand_in_service", ready, ready, directory / "x.log")


def environment(directory: Path, mode: str) -> Mapping[str, str]:
    return {**os.environ, "MODE": mode, "PYTHONPATH": os.pathsep.join([str(directory), *sys.path])}


async def start(directory: Path, mode: str) -> Child:
    return await Child.start(command(directory), environment(directory, mode))


@pytest.mark.parametrize(("mode", "grace"), [("obeys", 10.0), ("deaf", 0.3)])
def test_a_service_is_ended_with_all_that_it_started(
    tmp_path: Path, mode: str, grace: float
) -> None:
    async def run() -> tuple[int, int]:
        child = await start(tmp_path, mode)
        ready = await child.ready(20)
        assert ready.address == "127.0.0.1:9"
        grandchild = json.loads((tmp_path / "x.ready").read_text())["child"]
        await child.end(grace)
        await child.end(grace)  # a second time is harmless
        return child.process.pid, grandchild

    pid, grandchild = asyncio.run(run())
    assert not psutil.pid_exists(pid)
    assert not ProcessState(pid=grandchild, began=0).alive()
    assert gone(grandchild)


def gone(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        process.wait(5)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        pass
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_service_that_dies_at_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    async def run() -> None:
        await (await start(tmp_path, "dies")).ready(20)

    with pytest.raises(NotReady, match=r"(?s)node-x ended with exit code 1.*model file is missing"):
        asyncio.run(run())


def test_a_service_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    async def run() -> None:
        child = await start(tmp_path, "hangs")
        try:
            await child.ready(limit_seconds=0.2)
        finally:
            child.kill()
            await child.process.wait()

    with pytest.raises(NotReady, match="could not be called within"):
        asyncio.run(run())


STARTER = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from quorate.cli.supervision.process import Child, Command
async def run():
    directory = Path(sys.argv[1])
    ready = directory / "x.ready"
    child = await Child.start(
        Command("node-x", "stand_in_service", ready, ready, directory / "x.log"), os.environ
    )
    await child.ready(20)
    print(child.process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(run())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")
def test_a_killed_starter_takes_its_service_with_it(tmp_path: Path) -> None:
    command(tmp_path)

    async def run() -> int:
        starter = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STARTER, str(tmp_path),
            env=environment(tmp_path, "deaf"), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert starter.stdout is not None
        service = int(await starter.stdout.readline())
        starter.kill()
        await starter.wait()
        return service

    service = asyncio.run(run())
    grandchild = json.loads((tmp_path / "x.ready").read_text())["child"]
    try:
        assert gone(service)
    finally:
        os.kill(grandchild, signal.SIGKILL)  # a real node's engines see to this themselves


def test_what_to_type_next_names_the_home_unless_it_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORATE_HOME", str(tmp_path))
    assert up.ready_message(tmp_path, detached=True).endswith(
        'quorate ask "What is 47 + 38?". End it: quorate down'
    )
    told = up.ready_message(tmp_path / "other", detached=True)
    assert f"quorate ask --home {tmp_path}/other " in told
    assert f"quorate down --home {tmp_path}/other" in told
