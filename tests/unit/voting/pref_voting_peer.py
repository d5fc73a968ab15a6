"""Asks pref_voting in a process of its own: `python pref_voting_peer.py`, JSON in and out.

It brings a copy of HiGHS that cannot live in one process with the one that plans are solved by.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Read [rule, profiles] and write the winners of each profile.

    A profile is orders of candidates; for "borda" it may be [ranks, candidates] with ties.
    """
    from pref_voting.c1_methods import copeland
    from pref_voting.iterative_methods import instant_runoff
    from pref_voting.profiles import Profile
    from pref_voting.profiles_with_ties import ProfileWithTies
    from pref_voting.scoring_methods import borda_for_profile_with_ties

    rule, profiles = json.load(sys.stdin)
    if rule == "borda":
        made = [
            ProfileWithTies(
                [{int(one): rank for one, rank in ranks.items()} for ranks in ranked],
                candidates=candidates,
            )
            for ranked, candidates in profiles
        ]
        winners = [borda_for_profile_with_ties(profile) for profile in made]
    else:
        method = {"copeland": copeland, "runoff": instant_runoff}[rule]
        winners = [method(Profile(orders)) for orders in profiles]
    json.dump([[int(winner) for winner in several] for several in winners], sys.stdout)


if __name__ == "__main__":
    main()
