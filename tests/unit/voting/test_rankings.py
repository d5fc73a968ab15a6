"""Facts about Borda, Copeland, Kemeny and the runoff, checked against pref_voting."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations, permutations
from pathlib import Path
from random import Random

import pytest

from quorate.answers import Answer, Kind
from quorate.errors import InvalidRequest
from quorate.voting import Vote, decide
from quorate.voting.decision import election_of
from quorate.voting.rules import kemeny, rankings

PROFILES = 1_000


def theirs(rule: str, profiles: object) -> list[set[str]]:
    """Give pref_voting's winners of each profile."""
    peer = Path(__file__).with_name("pref_voting_peer.py")
    asked = json.dumps([rule, profiles])
    done = subprocess.run(
        [sys.executable, str(peer)], input=asked, capture_output=True, text=True, check=True
    )
    return [{answer(number).text for number in several} for several in json.loads(done.stdout)]


def answer(number: int) -> Answer:
    letter = chr(ord("A") + number)
    return Answer(Kind.CHOICE, letter, letter, "choice_letter")


def ballots(*orders: str) -> list[Vote]:
    """One member for each order, such as "ABC"."""
    return [
        Vote(
            f"m{n:03}",
            answer(ord(order[0]) - 65),
            ranking=tuple(answer(ord(c) - 65) for c in order),
        )
        for n, order in enumerate(orders)
    ]


def samples(**said: str) -> list[Vote]:
    """Each member's samples, such as a="AAB"."""
    return [
        Vote(f"{member}/{n}", answer(ord(letter) - 65), voter=member)
        for member, letters in said.items()
        for n, letter in enumerate(letters)
    ]


def profile(random: Random) -> list[list[int]]:
    candidates = random.randint(2, 6)
    return [random.sample(range(candidates), candidates) for _ in range(random.randint(1, 11))]


def votes_of(orders: list[list[int]]) -> list[Vote]:
    return [
        Vote(f"m{n:03}", answer(order[0]), ranking=tuple(map(answer, order)))
        for n, order in enumerate(orders)
    ]


def first_places(strategy: str, orders: list[list[int]]) -> set[str]:
    """All answers that share the best score."""
    scores = decide(strategy, votes_of(orders)).scores
    return {score.answer.text for score in scores if score.score == scores[0].score}


def drawn(name: str) -> list[list[list[int]]]:
    random = Random(name)
    return [profile(random) for _ in range(PROFILES)]


def test_borda_winners_are_those_of_pref_voting() -> None:
    profiles = drawn("borda")
    ranked = [
        (
            [{one: place for place, one in enumerate(order)} for order in orders],
            sorted(orders[0]),
        )
        for orders in profiles
    ]
    assert [first_places("borda", orders) for orders in profiles] == theirs("borda", ranked)


def test_borda_shares_points_among_equals_as_pref_voting_does() -> None:
    random = Random("borda with ties")
    ours, ranked = [], []
    for _ in range(PROFILES):
        said = {f"m{n}": random.choices("ABCD", k=random.randint(1, 4)) for n in range(5)}
        votes = samples(**{member: "".join(letters) for member, letters in said.items()})
        every = sorted({letter for letters in said.values() for letter in letters})
        # A rank for each answer by its count; what a member never said ties for the last place.
        ranks = [{ord(c) - 65: 10 - letters.count(c) for c in every} for letters in said.values()]
        ranked.append((ranks, [ord(c) - 65 for c in every]))
        scores = decide("borda", votes).scores
        ours.append({s.answer.text for s in scores if s.score == scores[0].score})
    assert ours == theirs("borda", ranked)


@pytest.mark.parametrize("rule", ["copeland", "runoff"])
def test_winners_of_orders_are_those_of_pref_voting(rule: str) -> None:
    profiles = drawn(rule)
    assert [first_places(rule, orders) for orders in profiles] == theirs(rule, profiles)


def brute_force(wins: list[list[int]]) -> tuple[int, set[int]]:
    """Give the least cost of all orders, and every candidate that starts a best one."""
    costs = {
        order: sum(wins[below][above] for above, below in combinations(order, 2))
        for order in permutations(range(len(wins)))
    }
    least = min(costs.values())
    return least, {order[0] for order, cost in costs.items() if cost == least}


def test_kemeny_is_as_good_as_the_best_of_all_orders_and_knows_every_winner() -> None:
    random = Random("kemeny")
    circles = 0
    for number in range(PROFILES):
        orders = profile(random)
        contest = rankings.contest_of(election_of(votes_of(orders), ranked=True)[0])
        wins = contest.preferred()
        best = kemeny.best_order(wins)
        least, starts = brute_force(wins)
        assert best.cost == least == kemeny.cost_of(wins, best.order), number
        assert set(kemeny.winners(wins, best)) == starts, number
        circles += best.cost > sum(
            min(wins[a][b], wins[b][a]) for a, b in combinations(range(len(wins)), 2)
        )
    assert circles > PROFILES / 20, "the solver was hardly needed"


def test_kemeny_winners_are_those_of_all_best_orders() -> None:
    random = Random("kemeny winners")
    for _ in range(100):
        orders = [random.sample(range(5), 5) for _ in range(random.choice([4, 5, 7]))]
        wins = [[sum(o.index(a) < o.index(b) for o in orders) for b in range(5)] for a in range(5)]
        _, starts = brute_force(wins)
        assert first_places("kemeny", orders) == {answer(c).text for c in starts}


def test_kemeny_orders_a_circle_of_twelve_exactly() -> None:
    # Each beats the six after it around the circle, by as much as no other pair.
    size = 13
    wins = [[0] * size for _ in range(size)]
    for one in range(size):
        for step in range(1, size // 2 + 1):
            wins[one][(one + step) % size] = 3
            wins[(one + step) % size][one] = 1
    best = kemeny.best_order(wins)
    arcs = sum(2 * (best.order.index(a) > best.order.index(b)) for a in range(size)
               for b in range(size) if wins[a][b] == 3)  # fmt: skip
    assert best.cost == size * (size - 1) // 2 + arcs
    # The least feedback arc set of the rotational tournament has 1 + 2 + … + 6 arcs.
    assert arcs == 2 * sum(range(1, size // 2 + 1))


def test_kemeny_refuses_a_circle_that_it_cannot_order_exactly() -> None:
    size = 31
    wins = [[2 * ((b - a) % size <= size // 2) for b in range(size)] for a in range(size)]
    with pytest.raises(InvalidRequest, match="at most 30 answers that beat one another"):
        kemeny.best_order(wins)


def test_two_hundred_different_answers_are_no_circle() -> None:
    votes = [
        Vote(f"m{n:03}", Answer(Kind.TEXT, f"w{n}", (f"w{n}",), "t"), n / 200) for n in range(200)
    ]
    outcome = decide("kemeny", votes)
    assert outcome.winner.text == "w199"
    assert "higher summed confidence" in outcome.tie_break


def test_a_condorcet_winner_wins_where_borda_has_another() -> None:
    votes = ballots("ABC", "ABC", "ABC", "BCA", "BCA")
    assert decide("copeland", votes).winner.text == "A"
    assert decide("kemeny", votes).winner.text == "A"
    assert decide("borda", votes).winner.text == "B"
    assert [s.score for s in decide("borda", votes).scores] == [7.0, 6.0, 2.0]


@pytest.mark.parametrize("strategy", ["borda", "copeland", "kemeny"])
def test_an_answer_that_nobody_put_first_can_win_by_rankings(strategy: str) -> None:
    votes = ballots("ADB", "BDA", "CDA")
    outcome = decide(strategy, votes)
    assert outcome.winner.text == "D"
    assert outcome.winner_members == ()
    assert outcome.agreement == 0.0
    assert 0.0 < outcome.confidence < 1.0


def test_a_members_samples_make_one_ballot_by_their_frequency() -> None:
    votes = samples(a="AAB", b="BBA", c="BAA")
    assert [(s.answer.text, s.votes, s.score) for s in decide("borda", votes).scores] == [
        ("A", 5, 2.0),
        ("B", 4, 1.0),
    ]


def test_rare_samples_are_noise_and_rank_nothing() -> None:
    votes = samples(a="AAAAAAAAB", b="BA", c="CA")
    outcome = decide("borda", votes)
    assert outcome.notes == ("1 rare samples left out",)
    # Were B a preference of a's over C, it would have the higher score.
    by_answer = {score.answer.text: score.score for score in outcome.scores}
    assert by_answer["B"] == by_answer["C"]


def test_noise_alone_is_no_candidate_and_adds_no_points() -> None:
    votes = samples(a="AAAAAAAAC", b="B", c="B")
    assert [s.score for s in decide("borda", votes).scores if s.votes > 1] == [2.0, 1.0]


def test_what_a_ranking_leaves_out_ties_behind_it() -> None:
    votes = ballots("AB", "C", "D")
    by_answer = {score.answer.text: score.score for score in decide("borda", votes).scores}
    assert by_answer == {"A": 5.0, "B": 4.0, "C": 4.5, "D": 4.5}


def test_an_answer_outside_of_its_own_ranking_stands_above_it() -> None:
    votes = [Vote("a", answer(0), ranking=(answer(1), answer(2))), Vote("b", answer(2))]
    by_answer = {score.answer.text: score.score for score in decide("borda", votes).scores}
    assert by_answer == {"A": 2.5, "C": 2.0, "B": 1.5}


def test_several_rankings_of_one_member_are_joined_by_mean_place() -> None:
    votes = [
        Vote("a/0", answer(0), ranking=(answer(0), answer(1), answer(2)), voter="a"),
        Vote("a/1", answer(1), ranking=(answer(1), answer(2)), voter="a"),
    ]
    # Mean places: A 0 and 2 (behind the second ranking's last), B 1 and 0, C 2 and 1.
    assert [(s.answer.text, s.score) for s in decide("borda", votes).scores] == [
        ("B", 2.0),
        ("A", 1.0),
        ("C", 0.0),
    ]


def test_an_abstention_ranks_nothing() -> None:
    votes = [Vote("a", None, ranking=(answer(1),)), Vote("b", answer(0))]
    outcome = decide("borda", votes)
    assert [score.answer.text for score in outcome.scores] == ["A"]
    assert outcome.confidence == 0.5


def test_the_runoff_moves_ballots_on_to_who_is_left() -> None:
    votes = ballots("ABC", "ABC", "ABC", "ABC", "BCA", "BCA", "BCA", "CBA", "CBA")
    outcome = decide("runoff", votes)
    assert outcome.winner.text == "B"
    assert decide("majority", votes).winner.text == "A"
    assert outcome.confidence == pytest.approx(5 / 9)
