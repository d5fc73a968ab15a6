"""Facts about the table of strategies: names, rules of one's own, and plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

import pytest

from quorate import voting
from quorate.errors import ConfigurationError, InvalidRequest, UnknownStrategy
from quorate.voting import Count, Election, Strategy, Vote, aggregate, decide, find
from quorate.voting.registry import Table, register

TWENTY = {
    "majority", "weighted", "ow", "isp", "sp", "topic", "ranking", "borda", "copeland", "kemeny",
    "runoff", "average", "best_of_n", "dawid_skene", "decorrelated",
    "debate", "universal", "moa", "pacore", "self_consistency",
}  # fmt: skip
ORCHESTRATED = {"debate", "universal", "moa", "pacore", "self_consistency"}
THREE = [{"response": "A"}, {"response": "A"}, {"response": "B"}]


def test_twenty_strategies_are_built_in() -> None:
    assert set(voting.STRATEGIES) == TWENTY
    assert {n for n, row in voting.STRATEGIES.items() if row.orchestrated} == ORCHESTRATED


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("ensemble_average", "average"),
        ("ranking_based", "ranking"),
        ("weighted_voting", "weighted"),
        ("majority_voting", "majority"),
        ("borda_count", "borda"),
        ("Self Consistency", "self_consistency"),
        ("optimal-weight", "ow"),
        ("instant_runoff", "runoff"),
    ],
)
def test_predecessors_names_mean_what_they_say(alias: str, name: str) -> None:
    assert find(alias).name == name


@pytest.mark.parametrize("strategy", sorted(ORCHESTRATED))
def test_a_list_of_responses_cannot_be_asked_again(strategy: str) -> None:
    with pytest.raises(InvalidRequest, match="it asks models again"):
        aggregate(THREE, strategy)


@pytest.mark.parametrize("strategy", sorted(ORCHESTRATED))
def test_final_ballots_of_orchestrated_strategies_are_counted_by_majority(strategy: str) -> None:
    votes = [
        Vote(f"m{n}", voting.aggregation.extract(text), 0.1 + n / 10)
        for n, text in enumerate("AAB")
    ]
    assert decide(strategy, votes).winner.text == "A"
    assert find(strategy).additive


@pytest.fixture
def mine() -> Iterator[str]:
    name = "least_popular"

    @voting.strategy(name, aliases=("underdog",), description="The fewest ballots win.")
    def least_popular(election: Election) -> list[float]:
        return [-float(len(group.votes)) for group in election.groups]

    yield name
    voting.STRATEGIES.discard(name)


def test_a_rule_of_ones_own_is_a_strategy_like_any_other(mine: str) -> None:
    assert aggregate(THREE, "underdog").text == "B"
    assert find(mine).description == "The fewest ballots win."
    assert mine in voting.STRATEGIES


@pytest.mark.usefixtures("mine")
def test_a_name_that_is_taken_cannot_be_registered() -> None:
    for taken in ("least_popular", "underdog", "majority", "borda_count"):
        with pytest.raises(ConfigurationError, match=f"{taken!r} is claimed by the strategy"):
            voting.strategy(taken)(lambda election: [0.0])
    with pytest.raises(ConfigurationError, match="'weighted'"):
        voting.strategy("fresh", aliases=("weighted",))(lambda election: [0.0])
    with pytest.raises(UnknownStrategy):
        find("fresh")


def test_a_rule_that_was_discarded_is_unknown_again() -> None:
    voting.strategy("passing")(lambda election: [0.0] * len(election.groups))
    voting.STRATEGIES.discard("passing")
    voting.STRATEGIES.discard("passing")
    with pytest.raises(UnknownStrategy):
        find("passing")


@pytest.mark.parametrize("name", ["", "Big", "two words", "1st", "a-b"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="small letters, digits and underscores"):
        voting.strategy(name)(lambda election: [0.0])


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_a_rule_that_gives_no_score_for_each_answer_is_an_error(scores: list[float]) -> None:
    rule = Strategy("odd", (), "Odd.", counting=lambda election: scores)
    with pytest.raises(ConfigurationError, match=r"'odd' gave the scores .* for 2 answers"):
        decide(
            rule,
            [
                Vote("a", voting.aggregation.extract("A")),
                Vote("b", voting.aggregation.extract("B")),
            ],
        )


def test_a_rule_may_tell_more_than_scores() -> None:
    rule = Strategy(
        "told", (), "Told.", counting=lambda election: Count([1.0], shares=[0.3], notes=["because"])
    )
    outcome = decide(rule, [Vote("a", voting.aggregation.extract("A"))])
    assert (outcome.confidence, outcome.notes) == (0.3, ("because",))
    assert outcome.explanation.endswith("; because")


def test_the_docstring_describes_a_rule_that_has_no_description() -> None:
    table = Table((), plugins=tuple)

    @register(table, "first")
    def first(election: Election) -> list[float]:
        """The first answer wins.

        Whatever it is.
        """
        return [float(-place) for place in range(len(election.groups))]

    assert table["first"].description == "The first answer wins."


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place where packages with plugins are installed, as any installer leaves them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]


def install(place: Path, package: str, code: str, **entries: str) -> list[EntryPoint]:
    (place / f"plugin_{package}.py").write_text(code)
    about = place / f"{package}-2.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
    lines = "".join(f"{name} = plugin_{package}:{value}\n" for name, value in entries.items())
    (about / "entry_points.txt").write_text(f"[quorate.strategies]\n{lines}")
    return list(PathDistribution(about).entry_points)


GOOD = '''
from quorate.voting import Strategy
def fewest(election):
    """The fewest ballots win."""
    return [-len(group.votes) for group in election.groups]
row = Strategy("ignored", ("rare",), "Rare.", counting=fewest)
number = 7
'''


def majority_and(*found: EntryPoint) -> Table:
    return Table([voting.STRATEGIES["majority"]], plugins=lambda: found)


def test_installed_plugins_are_found_by_the_group_of_their_entry_points(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(plugins, "fewest", GOOD, fewest="fewest")
    table = Table([voting.STRATEGIES["majority"]])
    assert list(table) == ["majority", "fewest"]
    monkeypatch.setattr("quorate.voting.strategies.STRATEGIES", table)
    assert aggregate(THREE, "fewest").text == "B"


def test_plugins_are_not_imported_before_they_are_asked_for(plugins: Path) -> None:
    table = majority_and(*install(plugins, "lazy", GOOD, fewest="fewest"))
    assert table.named("majority") is not None
    assert "plugin_lazy" not in sys.modules
    assert table["fewest"].description == "The fewest ballots win."
    assert "plugin_lazy" in sys.modules


def test_a_plugin_may_be_a_strategy_with_aliases(plugins: Path) -> None:
    table = majority_and(*install(plugins, "row", GOOD, rarest="row"))
    found = table.named("rare")
    assert found is not None
    assert found.name == "rarest"
    assert "rare" in table.all_names()


@pytest.mark.parametrize(
    ("code", "entry", "why"),
    [
        ("import nowhere_to_be_found", "rule", "ModuleNotFoundError"),
        ("1 / 0", "rule", "ZeroDivisionError"),
        ("", "rule", "AttributeError"),
        (GOOD, "number", "neither a Strategy nor a function"),
    ],
)
def test_a_broken_plugin_names_its_distribution_and_breaks_no_other(
    plugins: Path, code: str, entry: str, why: str
) -> None:
    broken = install(plugins, "broken", code, odd=entry)
    table = majority_and(*broken, *install(plugins, "sound", GOOD, fewest="fewest"))
    assert set(table) == {"majority", "fewest"}
    assert len(table) == 2
    with pytest.raises(ConfigurationError, match=r"'odd' of broken 2\.0") as caught:
        table.named("odd")
    assert why in caught.value.message
    assert table.named("fewest") is not None
    assert table.named("unheard") is None
    assert list(table.broken) == ["odd"]
    assert "odd" not in table.all_names()


def test_a_plugin_with_a_built_in_name_is_an_error_for_that_name_alone(plugins: Path) -> None:
    clash = install(plugins, "clash", GOOD, majority="fewest", fewest="fewest")
    table = majority_and(*clash)
    with pytest.raises(
        ConfigurationError, match=r"'majority' is claimed by the strategy.*clash 2\.0"
    ):
        table.named("majority")
    assert table.named("fewest") is not None


def test_two_plugins_of_one_name_are_an_error_that_names_both(plugins: Path) -> None:
    one = install(plugins, "one", GOOD, fewest="fewest")
    two = install(plugins, "two", GOOD, fewest="fewest")
    with pytest.raises(ConfigurationError, match=r"claimed by one 2\.0 .* and by two 2\.0"):
        majority_and(*one, *two).named("fewest")


def test_a_program_cannot_register_the_name_of_a_plugin(plugins: Path) -> None:
    table = majority_and(*install(plugins, "early", GOOD, fewest="fewest"))
    with pytest.raises(ConfigurationError, match=r"'fewest' is claimed by early 2\.0"):
        register(table, "fewest")(lambda election: [0.0])
