"""Slips and variants of spelling: what may differ between two writings of the same words."""

from __future__ import annotations

from itertools import groupby

FEWEST_LETTERS = 8
"""A shorter word that differs by a letter is mostly another word: desert, dessert."""
_CONFUSABLE_PAIRS = (
    "complaint/compliant discreet/discrete discreetly/discretely casually/causally"
    " infraction/infarction infractions/infarctions perfects/prefects trailing/trialing"
    " martially/maritally stripping/striping scrapping/scraping discusses/discuses"
)
_CONFUSABLE = frozenset(frozenset(pair.split("/")) for pair in _CONFUSABLE_PAIRS.split())
_VARIANTS = (
    "colour color,colours colors,favourite favorite,favour favor,honour honor,labour labor"
    ",neighbour neighbor,harbour harbor,behaviour behavior,flavour flavor,humour humor,grey gray"
    ",centre center,theatre theater,metre meter,metres meters,litre liter,litres liters"
    ",kilometre kilometer,kilometres kilometers,fibre fiber,organise organize,organised organized"
    ",realise realize,realised realized,analyse analyze,analysed analyzed,catalogue catalog"
    ",dialogue dialog,defence defense,offence offense,aluminium aluminum,travelling traveling"
    ",travelled traveled,cancelled canceled,programme program,jewellery jewelry,tyre tire"
    ",sulphur sulfur,oesophagus esophagus,anaemia anemia,haemoglobin hemoglobin,mould mold"
    ",plough plow,pyjamas pajamas,whisky whiskey,ok okay"
)
_STANDARD = dict(pair.split() for pair in _VARIANTS.split(","))


def standard(word: str) -> str:
    """Write a word as most do where there are two ways."""
    return _STANDARD.get(word, word)


def is_slip(one: str, other: str) -> bool:
    """Whether one long word is the other with a letter doubled or two neighbours swapped.

    No other letter may differ: Zambia is not Gambia, and absorption is not adsorption.
    """
    if min(len(one), len(other)) < FEWEST_LETTERS or not (one.isalpha() and other.isalpha()):
        return False
    # Two megabytes that a process which compares no such words, as most nodes, does without.
    from rapidfuzz.distance import OSA

    if OSA.distance(one, other, score_cutoff=1) != 1 or frozenset({one, other}) in _CONFUSABLE:
        return False
    return sorted(one) == sorted(other) or _single(one) == _single(other)


def _single(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))
