"""The words that fill the generators' templates, and everyday ways of writing a request."""

from __future__ import annotations

from random import Random


def words(text: str, separator: str | None = None) -> list[str]:
    """List the words of a text, which is how a table of words reads best."""
    return text.split(separator)


NAMES = words(
    "Ana Ben Cara Dan Eva Finn Gia Hugo Iris Jack Kira Liam Mona Noah Olga Paul Quinn Rosa Sam "
    "Tina Uma Vera Will Xena Yuri Zoe Alice Bob Carol David Emma Frank Grace Henry Ivy John Kate "
    "Leo Mary Nina Oscar Peter Ruth Sara Tom Victor Wendy Amir Bella Chen Diego Elena Farid Hana"
)
CITIES = words(
    "Paris Rome Oslo Lima Cairo Delhi Tokyo Quito Bern Doha Berlin Madrid London Vienna Athens "
    "Dublin Boston Lisbon Prague Seoul Sydney Toronto Chicago Munich Milan Geneva Porto Lyon"
)
THINGS = words(
    "apples pears plums eggs books pens pencils cups plates chairs lamps shirts socks coins "
    "stamps cards marbles tickets bottles candles keys stickers cookies muffins lemons onions"
)
DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
EVENTS = words(
    "team meeting|book club|piano lesson|budget review|yoga class|staff lunch|chess match|"
    "dentist visit|film night|garden tour|code review|school play|board meeting|dance class",
    "|",
)
CREATIVE = (
    "Write a poem about {0}",
    "Write a short story about {0}",
    "Make up a joke about {0}",
    "Invent a slogan for {0}",
    "Write a haiku about {0}",
)
SUMMARIZE = (
    "Summarize the text about {0}",
    "Summarize the report on {0}",
    "Give a short summary of {0}",
    "Sum up the article about {0} in one sentence",
)
SUBJECTS = words(
    "the sea|cats|dogs|autumn|the moon|rain|coffee|an old bridge|winter|a lost key|trains|the city|"
    "gardens|a red bicycle|music|the mountains|bread|a small robot|friendship|the desert",
    "|",
)

_ONSETS = words("b d f g k l m n p r s t v z br dr gr kl pl st tr")
_VOWELS = words("a e i o u")
_CODAS = words("n r l s k m")


def person(random: Random) -> str:
    """Name a person: usually a common name, sometimes an invented one that has to be copied."""
    return invented_name(random) if random.random() < 0.15 else random.choice(NAMES)


def people(random: Random, count: int) -> list[str]:
    """Name that many different people."""
    chosen: list[str] = []
    while len(chosen) < count:
        name = person(random)
        if name not in chosen:
            chosen.append(name)
    return chosen


def invented_name(random: Random) -> str:
    """Make up a pronounceable name of two or three syllables."""
    syllables = [
        random.choice(_ONSETS) + random.choice(_VOWELS) for _ in range(random.choice((2, 2, 3)))
    ]
    return ("".join(syllables) + random.choice(("", random.choice(_CODAS)))).capitalize()


def everyday(random: Random, text: str, lower: bool = False) -> str:
    """Vary a request as people do: small first letter, no final mark, "please", all lower case.

    `lower` allows the whole text to lose its capitals: fair only where capitals carry nothing.
    """
    style = random.random()
    if style < 0.08 and text[-1] in ".?":
        text = text[:-1]
    elif style < 0.16:
        text = text[0].lower() + text[1:]
    elif style < 0.20:
        text = text[0].lower() + text[1:].rstrip(".?")
    elif style < 0.28 and lower:
        text = text.lower().rstrip(".?") if random.random() < 0.6 else text.lower()
    elif style < 0.33 and text[-1] in "." and "please" not in text.lower():
        text = "Please " + text[0].lower() + text[1:]
    elif style < 0.36 and text[-1] == "?":
        text = text[:-1] + ", please?"
    return text
