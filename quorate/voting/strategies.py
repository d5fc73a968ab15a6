"""The voting rules, one row each. What a row's rule does lives in `rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.errors import InvalidRequest, UnknownStrategy, nearest
from quorate.voting.definition import Strategy
from quorate.voting.registry import Table
from quorate.voting.rules import average, coins, kemeny, optimal, rankings, surprise, verified
from quorate.voting.rules.decorrelated import decorrelated

if TYPE_CHECKING:
    from quorate.voting.vote import Vote

__all__ = ["STRATEGIES", "Strategy", "find"]


def _weight_times_confidence(vote: Vote) -> float:
    return vote.weight * vote.confidence


def _at_most_one(weight: float) -> float:
    return 1.0


def _at_most_its_weight(weight: float) -> float:
    return weight


_ROWS = (
    Strategy(
        "majority",
        ("majority_voting", "majority_vote", "plurality", "vote"),
        "The answer with the most ballots wins.",
        most=_at_most_one,
    ),
    Strategy(
        "weighted",
        ("weighted_voting", "weighted_vote", "weighted_majority", "confidence_weighted"),
        "The answer with the greatest sum of weight times confidence wins.",
        worth=_weight_times_confidence,
        most=_at_most_its_weight,
    ),
    Strategy(
        "ow",
        ("optimal_weight", "optimal_weights", "optimal"),
        "Votes weigh the log-odds of their model's accuracy.",
        counting=optimal.optimal,
        steady=True,
    ),
    Strategy(
        "isp",
        ("inverse_surprising_popularity", "inverse_surprisingly_popular"),
        "The answer wins that is more popular than the other answers foretell.",
        counting=surprise.inverse_surprising,
    ),
    Strategy(
        "sp",
        ("surprising_popularity", "surprisingly_popular"),
        "The answer wins that is more popular than its own voters foretell.",
        counting=surprise.surprising,
    ),
    Strategy(
        "topic",
        ("topic_weighted", "topic_based", "topic_voting"),
        "Votes weigh the log-odds of their model's accuracy on the question's topic.",
        counting=optimal.by_topic,
        steady=True,
    ),
    Strategy(
        "ranking",
        ("ranking_based", "ranked", "rank"),
        "The response with the best confidence, agreement and format wins.",
        counting=verified.ranking,
    ),
    Strategy(
        "borda",
        ("borda_count", "borda_voting"),
        "An answer has a point for each answer that a ballot ranks below it.",
        counting=rankings.borda,
        ranked=True,
    ),
    Strategy(
        "copeland",
        ("condorcet", "pairwise"),
        "The answer that wins the most duels by majority wins.",
        counting=rankings.copeland,
        ranked=True,
    ),
    Strategy(
        "kemeny",
        ("kemeny_young",),
        "The first answer of the order that contradicts the ballots least wins.",
        counting=kemeny.kemeny,
        ranked=True,
    ),
    Strategy(
        "runoff",
        ("instant_runoff", "irv", "ranked_choice"),
        "Whoever has the fewest first places is struck out until one answer is left.",
        counting=rankings.runoff,
        ranked=True,
    ),
    Strategy(
        "average",
        ("ensemble_average", "averaging", "mean", "ensemble"),
        "The mean of probabilities, the middle of numbers, the most central text.",
        counting=average.average,
    ),
    Strategy(
        "best_of_n",
        ("bon", "best", "verifier"),
        "The answer with the greatest sum of verifier scores wins.",
        counting=verified.best_of_n,
    ),
    Strategy(
        "dawid_skene",
        ("ds", "one_coin", "em"),
        "The most probable answer wins, accuracies being estimated along with it.",
        counting=coins.dawid_skene,
    ),
    Strategy(
        "decorrelated",
        ("correlation_aware", "clone_proof"),
        "Votes weigh their model's log-odds; models that err alike share theirs.",
        counting=decorrelated,
        steady=True,
    ),
    Strategy(
        "debate",
        ("multi_agent_debate", "mad"),
        "Models read one another's answers and answer again; the last round's majority wins.",
        most=_at_most_one,
        orchestrated=True,
    ),
    Strategy(
        "universal",
        ("universal_self_consistency", "usc"),
        "Models pick the most consistent of all answers; the most picks win.",
        most=_at_most_one,
        orchestrated=True,
    ),
    Strategy(
        "moa",
        ("mixture_of_agents", "self_moa"),
        "Layers of models write new answers out of earlier ones; the last layer's majority wins.",
        most=_at_most_one,
        orchestrated=True,
    ),
    Strategy(
        "pacore",
        ("parallel_coordinated_reasoning",),
        "Rounds of fewer and fewer models read compacted answers of the round before.",
        most=_at_most_one,
        orchestrated=True,
    ),
    Strategy(
        "self_consistency",
        ("cot_sc", "sc"),
        "Each model answers several times; the most frequent answer wins.",
        most=_at_most_one,
        orchestrated=True,
    ),
)

STRATEGIES: Table = Table(_ROWS)
"""Every strategy by its name: built in, registered by a decorator, or installed as a plugin."""


def find(name: str) -> Strategy:
    """Give the strategy with a name or alias.

    Raises UnknownStrategy with the nearest names, and ConfigurationError when the strategy is a
    plugin that cannot be loaded or whose name is taken.
    """
    if not isinstance(name, str):
        raise InvalidRequest.field("strategy", name, "it must be a name", "Try 'majority'.")
    if (at_hand := STRATEGIES.at_hand(name)) is not None:
        return at_hand
    strategy = STRATEGIES.named(name.strip().lower().replace("-", "_").replace(" ", "_"))
    if strategy is None:
        raise UnknownStrategy(
            f"there is no strategy {name!r}.{nearest(name, STRATEGIES.all_names())}",
            metadata={"field": "strategy", "value": name},
        )
    return strategy
