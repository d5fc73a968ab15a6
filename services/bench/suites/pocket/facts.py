"""Questions about the closed world: open ones, and multiple choice with four options."""

from __future__ import annotations

from random import Random

from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import CREATIVE, SUBJECTS, SUMMARIZE, everyday, words
from services.bench.suites.pocket.world import RELATIONS, Relation

TASK = "facts"
LETTERS = "ABCD"
INLINE_SHARE = 0.35
"""How often options stand on the question's own line, as people type them."""
UNKNOWN = "I do not know."
UNABLE = "I can not do that."

# {n} is the relation's noun phrase with its subject; True asks for a full sentence.
_OPEN: tuple[tuple[str, bool], ...] = (
    ("What is {n}?", False),
    ("What's {n}?", False),
    ("Name {n}.", False),
    ("Give me {n}.", False),
    ("Do you know {n}?", False),
    ("I would like to know {n}.", False),
    ("What is {n} called?", False),
    ("Find {n}.", False),
    ("Tell me {n}.", True),
    ("Can you tell me {n}?", True),
    ("In a full sentence: what is {n}?", True),
    ("Please state {n}.", True),
)
# True asks for the letter alone.
_CHOICE: tuple[tuple[str, bool], ...] = (
    ("{q}\n{o}\nAnswer with the letter only.", True),
    ("{q}\n{o}\nReply with one letter.", True),
    ("Choose the right letter: {q}\n{o}", True),
    ("{q} Give only the letter.\n{o}", True),
    ("{q}\n{o}", False),
    ("{q}\n{o}\nAnswer:", False),
    ("Question: {q}\n{o}", False),
    ("Choose the correct answer.\n{q}\n{o}", False),
    ("{q}\nOptions:\n{o}", False),
    ("Which option is right? {q}\n{o}", False),
)
# By position in _CHOICE: those that want a bare letter, and those that a sentence answers.
_BARE = [index for index, (_, bare) in enumerate(_CHOICE) if bare]
_REASONED = [index for index, (_, bare) in enumerate(_CHOICE) if not bare]
BARE_SHARE = 0.15
_WISHES = (
    "best {0}",
    "the best {0} near me",
    "a good {0}",
    "the cheapest {0}",
    "the newest {0}",
    "top {0}",
)
_GOODS = words(
    "savings accounts|savings account|restaurants|hotels|laptops|phones|credit cards|flights|shoes|"
    "insurance plans|mortgage rates|running shoes|headphones|movies|dentists|car rentals|loans",
    "|",
)
_LIVE = (
    "What is the weather in {0}?",
    "What time is it in {0}?",
    "What happened in {0} today?",
    "Who won the match in {0}?",
    "What is the population of {0}?",
    "Tell me the news from {0}.",
)


def question(random: Random, relation: Relation, subject: str) -> tuple[str, bool, int]:
    """Ask for one fact; also say whether a full sentence is wanted, and which template it was."""
    choices = len(_OPEN) + len(relation.questions)
    # The relation's own wordings are the ones people use; they get half of the questions.
    index = random.randrange(choices)
    if random.random() < 0.3:
        index = len(_OPEN) + random.randrange(len(relation.questions))
    if index >= len(_OPEN):
        return relation.questions[index - len(_OPEN)].format(subject), False, index
    template, sentence = _OPEN[index]
    return template.format(n=relation.noun.format(subject)), sentence, index


def _pick(random: Random) -> tuple[Relation, str, str]:
    relation = random.choices(RELATIONS, [len(r.pairs) for r in RELATIONS])[0]
    subject = random.choice(list(relation.pairs))
    return relation, subject, relation.pairs[subject]


def _capital_first(text: str) -> str:
    return text[0].upper() + text[1:]


def draw_open(random: Random, varied: bool = True) -> Item:
    """Draw an open question; `varied` also varies case and marks as people do."""
    relation, subject, value = _pick(random)
    text, sentence, index = question(random, relation, subject)
    completion = _capital_first(relation.statement.format(subject, value)) if sentence else value
    fact = f"{relation.name}/{subject}"
    prompt = everyday(random, text, lower=True) if varied else text
    return Item(TASK, prompt, completion, value, "text", f"open {fact} {index}", fact)


def _options(random: Random, relation: Relation, value: str) -> list[str]:
    others = sorted(set(relation.pairs.values()) - {value})
    options = [value, *random.sample(others, 3)]
    random.shuffle(options)
    return options


def draw_choice(random: Random) -> Item:
    """Draw a multiple-choice question with one right option of four."""
    relation, subject, value = _pick(random)
    text, _, _ = question(random, relation, subject)
    if not text.endswith("?"):
        text = f"What is {relation.noun.format(subject)}?"
    options = _options(random, relation, value)
    shown = random.choice(("{0}) {1}", "{0}) {1}", "{0}. {1}", "({0}) {1}"))
    listed = "\n".join(shown.format(*pair) for pair in zip(LETTERS, options, strict=True))
    index = random.choice(_BARE if random.random() < BARE_SHARE else _REASONED)
    template, letter_only = _CHOICE[index]
    letter = LETTERS[options.index(value)]
    statement = _capital_first(relation.statement.format(subject, value))
    # Models this small do not learn to look back from an option to its letter: after eleven million
    # tokens they were at chance. A sentence names the option as well.
    completion = letter if letter_only else statement
    fact = f"{relation.name}/{subject}"
    # The letter is not in the key: held-out letters could be learnt by elimination.
    key = f"choice {fact} {index} {sorted(options)}"
    prompt = template.format(q=text, o=listed)
    if random.random() < INLINE_SHARE:
        prompt = prompt.replace("\n", " ")
    return Item(TASK, prompt, completion, letter, "choice", key, fact)


def draw_beyond(random: Random, varied: bool = True) -> Item:
    """Draw a request from outside the closed world: the right answer is to say so."""
    if varied and random.random() < 0.25:
        text = random.choice(CREATIVE + SUMMARIZE).format(random.choice(SUBJECTS))
        return Item(TASK, everyday(random, text), UNABLE, "can not", "text", f"beyond {text}")
    if random.random() < 0.6:
        wish = random.choice(_WISHES).format(random.choice(_GOODS))
        asked = random.choice(
            ("find {0}", "recommend {0}", "show me {0}", "what are {0}", "search for {0}")
        )
        text = _capital_first(asked.format(wish))
    else:
        text = random.choice(_LIVE).format(random.choice(list(RELATIONS[0].pairs)))
    prompt = everyday(random, text, lower=True) if varied else text
    return Item(TASK, prompt, UNKNOWN, "do not know", "text", f"beyond {text}")


def draw(random: Random) -> Item:
    """Draw one question of any form."""
    form = random.random()
    if form < 0.5:
        return draw_open(random)
    return draw_choice(random) if form < 0.95 else draw_beyond(random)
