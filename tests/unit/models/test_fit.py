"""The set that is proposed is the best one, fits, and becomes a topology that runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import config, errors, models, topology
from quorate.config import ModelSettings
from quorate.models import best_set, fit, proposal
from quorate.models.catalogue import catalogue
from quorate.models.fit import PRESETS, Candidate, Choice, Wish
from quorate.models.store import Store
from services.node import model_file

GIB = 2**30
HEAVY = PRESETS["heavy"]
ALL = proposal.candidates(Store(Path("/nonexistent")), installed=False)


def names(found: fit.Proposal) -> set[str]:
    return {choice.candidate.name for choice in found.choices}


def value(chosen: Sequence[Choice]) -> float:
    """The formula as the documentation has it, without any cleverness."""
    total, code = 0.0, [0.0]
    for choice in chosen:
        mine = choice.candidate
        better = [
            one
            for one in (other.candidate for other in chosen)
            if one.family == mine.family and (-one.worth, one.name) < (-mine.worth, mine.name)
        ]
        use = 0.7 if mine.speciality == "code" else 1.0
        total += mine.quality * use * 0.5 ** len(better)
        if mine.speciality == "code":
            code.append(mine.quality)
    return total + 0.2 * max(code)


def best_by_trying_all(candidates: Sequence[Candidate], wish: Wish) -> float:
    options = [fit._options(candidate, wish) for candidate in candidates]
    best = -1.0
    for places in itertools.product(*([None, *option] for option in options)):
        chosen = [place for place in places if place]
        worths = [choice.candidate.worth for choice in chosen]
        if (
            0 < len(chosen) <= wish.nodes * wish.models_per_node
            and min(worths) >= best_set.WEAKEST * max(worths)
            and sum(choice.memory.host_bytes for choice in chosen) <= wish.memory_bytes
            and sum(choice.memory.device_bytes for choice in chosen) <= wish.accelerator_bytes
        ):
            best = max(best, value(chosen))
    return best


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(ALL), min_size=1, max_size=7, unique_by=lambda one: one.name),
    st.integers(300 * 2**20, 20 * GIB),
    st.sampled_from([0, 0, 3 * GIB, 8 * GIB]),
    st.integers(1, 3),
    st.sampled_from(sorted(PRESETS)),
)
def test_no_other_set_is_better(
    candidates: list[Candidate], memory: int, vram: int, nodes: int, preset: str
) -> None:
    wish = Wish(PRESETS[preset], memory, vram, nodes)
    best = best_by_trying_all(candidates, wish)
    if best < 0:
        with pytest.raises(errors.NotReady, match="no model fits"):
            fit.propose(candidates, wish)
        return
    found = fit.propose(candidates, wish)
    assert found.value == pytest.approx(best)
    assert value(found.choices) == pytest.approx(best)


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(ALL), st.integers(400 * 2**20, 40 * GIB), st.integers(1, 4), st.integers(1, 3)
)
def test_the_set_fits_and_does_not_depend_on_the_order_of_the_candidates(
    candidates: list[Candidate], memory: int, nodes: int, per_node: int
) -> None:
    wish = Wish(HEAVY, memory, nodes=nodes, models_per_node=per_node)
    found = fit.propose(candidates, wish)
    used = sum(choice.memory.host_bytes for choice in found.choices)
    assert used + found.left_bytes == memory
    assert found.left_bytes >= 0
    assert 1 <= len(found.nodes) <= nodes
    assert all(1 <= len(node) <= per_node for node in found.nodes)
    assert found == fit.propose(ALL, wish)


def test_a_pair_is_of_two_families() -> None:
    for memory in (4, 8, 16, 32):
        found = fit.propose(ALL, Wish(HEAVY, memory * GIB))
        first, second = found.choices
        assert first.candidate.family != second.candidate.family


def test_models_of_one_family_are_on_different_nodes() -> None:
    found = fit.propose(ALL, Wish(HEAVY, 64 * GIB, nodes=4, models_per_node=2))
    assert len(found.choices) == 8
    for node in found.nodes:
        assert len({choice.candidate.family for choice in node}) == len(node)


def test_a_large_set_has_a_model_for_code() -> None:
    found = fit.propose(ALL, Wish(HEAVY, 64 * GIB, nodes=4))
    assert "code" in {choice.candidate.speciality for choice in found.choices}


def test_presets_differ_in_how_fast_models_must_be() -> None:
    chosen = {
        name: fit.propose(ALL, Wish(preset, 64 * GIB, nodes=2)) for name, preset in PRESETS.items()
    }
    slowest = {
        name: min(choice.tokens_per_second for choice in found.choices)
        for name, found in chosen.items()
    }
    assert slowest["fast"] >= 25 > slowest["auto_fast"] >= 10 > slowest["heavy"]


def test_an_accelerator_lets_large_models_be_fast() -> None:
    with_card = fit.propose(ALL, Wish(PRESETS["auto_fast"], 8 * GIB, 24 * GIB))
    assert all(choice.gpu_layers for choice in with_card.choices)
    assert with_card.value > fit.propose(ALL, Wish(PRESETS["auto_fast"], 8 * GIB)).value
    assert 0 <= with_card.accelerator_left_bytes < 24 * GIB


def test_a_context_longer_than_a_model_has_leaves_it_out() -> None:
    found = fit.propose(ALL, Wish(HEAVY, 64 * GIB, nodes=4, context_tokens=16384))
    assert names(found) <= {
        model.name for model in catalogue().models if model.shape.context_tokens >= 16384
    }
    with pytest.raises(errors.NotReady, match="shorten --context"):
        fit.propose(ALL, Wish(HEAVY, 64 * GIB, context_tokens=200_000))


def test_too_little_memory_says_what_the_smallest_takes() -> None:
    with pytest.raises(errors.NotReady, match=r"smollm2-135m, the smallest, takes \d+ MiB"):
        fit.propose(ALL, Wish(HEAVY, 10 * 2**20))


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(errors.InvalidRequest, match="Did you mean 'auto_fast'"):
        fit.preset("autofast")


def test_nothing_on_disk_is_told() -> None:
    with pytest.raises(errors.NotReady, match="quorate models pull NAME"):
        fit.propose([], Wish(HEAVY, GIB))


@pytest.mark.timeout(30)
def test_the_search_is_quick_with_half_as_many_models_again() -> None:
    many = [*ALL, *(one._replace(name=f"{one.name}-2") for one in ALL[:9])]
    found = fit.propose(many, Wish(HEAVY, 24 * GIB, 12 * GIB, nodes=4, models_per_node=4))
    assert len(found.choices) > 8


def put(store: Store, name: str) -> Path:
    store.directory.mkdir(parents=True, exist_ok=True)
    store.path(name).write_bytes(models.pocket_models()["abacus"].read_bytes())
    return store.path(name)


def test_installed_models_are_described_by_their_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, "smollm2-135m")
    put(store, "my-coder")
    (tmp_path / "broken.gguf").write_bytes(b"broken")
    found = {one.name: one for one in proposal.candidates(store, installed=True)}
    assert set(found) == {"smollm2-135m", "my-coder"}
    assert (found["my-coder"].speciality, found["my-coder"].family) == ("code", "llama")
    assert found["smollm2-135m"].header.name == "abacus"
    assert all(one.on_disk for one in found.values())
    everything = {one.name: one for one in proposal.candidates(store, installed=False)}
    assert set(everything) == {*catalogue().by_name, "my-coder"}
    assert not everything["llama-3-2-3b"].on_disk


def test_the_topology_is_read_back_and_takes_what_was_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORATE_DATA", str(tmp_path))
    store = Store()
    put(store, "one")
    put(store, "two-code")
    wish = Wish(HEAVY, GIB, nodes=2, models_per_node=1, context_tokens=512, slots=4)
    found = fit.propose(proposal.candidates(store, installed=True), wish)
    made = proposal.topology_of(found, wish, limit_memory=True)
    told = {choice.candidate.name: choice.memory for choice in found.choices}
    file = tmp_path / "mesh.yaml"
    file.write_text(proposal.as_text(made, ["a comment"]), encoding="utf-8")
    read = topology.read(file)
    assert read == made
    assert read.synthesizer.models == ["one"]
    assert sum(node.memory or 0 for node in read.nodes) <= GIB
    for node in models.placed(read).nodes:
        for model in node.models:
            assert model.path == store.path(model.name)
            assert model.kv_layout == "auto"
            assert model_file.inspect(model).estimate(model) == told[model.name]


def test_slots_share_a_cache_only_where_memory_is_short() -> None:
    one = [next(one for one in ALL if one.name == "qwen2-5-1-5b")]
    wide = fit.propose(one, Wish(HEAVY, 64 * GIB))
    (roomy,) = wide.choices
    least = fit._smallest(one[0], Wish(HEAVY, 64 * GIB), 0).memory.total_bytes
    assert roomy.kv_layout == "auto"
    assert roomy.memory.cache_bytes == 8 * 4096 * one[0].header.kv_bytes_per_token
    assert least < roomy.memory.total_bytes
    for memory, layout in (
        (roomy.memory.total_bytes, "auto"),
        (roomy.memory.total_bytes - 1, "unified"),
        (least, "unified"),
    ):
        wish = Wish(HEAVY, memory)
        found = fit.propose(one, wish)
        assert [choice.kv_layout for choice in found.choices] == [layout]
        (node,) = proposal.topology_of(found, wish, limit_memory=True).nodes
        assert [model.kv_layout for model in node.models] == [layout]
        assert node.memory == memory


def test_of_two_models_the_better_one_has_its_cache_split_first() -> None:
    whole = fit.propose(ALL, Wish(HEAVY, 64 * GIB))
    used = 64 * GIB - whole.left_bytes
    found = fit.propose([one.candidate for one in whole.choices], Wish(HEAVY, used - 1))
    layouts = {one.candidate.worth: one.kv_layout for one in found.choices}
    assert [layouts[worth] for worth in sorted(layouts)] == ["unified", "auto"]


def test_on_an_accelerator_layers_are_told(tmp_path: Path) -> None:
    wish = Wish(HEAVY, 8 * GIB, 24 * GIB)
    made = proposal.topology_of(fit.propose(ALL, wish), wish, limit_memory=False)
    assert all(model.gpu_layers > 0 for node in made.nodes for model in node.models)
    assert all(node.memory is None for node in made.nodes)


def test_a_model_without_a_file_names_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORATE_DATA", str(tmp_path))
    with pytest.raises(errors.ModelUnusable, match="quorate models pull gemma-2-2b"):
        models.resolve(ModelSettings(name="gemma-2-2b"))
    with pytest.raises(errors.UnknownModel, match="Did you mean 'mistral-7b'"):
        models.resolve(ModelSettings(name="mistral-7"))
    path = put(Store(), "mine")
    assert models.resolve(ModelSettings(name="mine")) == path
    data = {"nodes": [{"name": "n1", "models": [{"name": "mine"}, {"name": "abacus"}]}]}
    placed = models.placed(config.validate(topology.Topology, data, "test"))
    assert [model.path for model in placed.nodes[0].models] == [path, None]
