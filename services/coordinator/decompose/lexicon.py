"""The English words by which the rules know requests, references and links. Data only."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Read a list of words that is written as text."""
    return frozenset(text.split())


WH = words("what who whom whose which where when why how what's who's where's")
OF_WHICH = words("which what whom whose")
"""What may follow a preposition that opens a question: "in which museum"."""

AUXILIARY = words(
    "is are was were do does did can could will would should has have had may must shall am"
)

PLAIN_VERBS = words(
    "calculate compute subtract multiply divide solve evaluate simplify convert recommend suggest"
    " identify write summarize summarise translate explain describe define compare contrast compose"
    " create generate invent extract classify rewrite paraphrase implement analyze analyse predict"
    " prove find search add tell give make provide locate discuss take use brainstorm"
)
"""Verbs that are hardly ever nouns, so that "… and VERB …" starts a new request."""

NOUN_VERBS = words(
    "list name sum count total average round double halve square order sort rank rate review"
    " show state outline draft design plan group filter format print reverse choose pick get spell"
    " estimate look work replace remove sketch code draw"
)
"""Verbs that are nouns as well: after "and" they need a determiner to be read as a request."""

VERBS = PLAIN_VERBS | NOUN_VERBS

TRANSFORMS = words(
    "sum add total average count double halve square multiply divide subtract sort order rank"
    " reverse round convert translate summarize summarise rewrite paraphrase simplify filter group"
    " format compare take use"
)
"""Verbs that work on what an earlier part gave."""

TAKES_TO = words("convert translate add round")
"""Verbs whose "to" opens what they lead to, not an infinitive."""

OF_STEPS = words("by to into with from after at")
"""What may follow the object of a step, or an amount, without saying which one is meant."""

CALCULATIONS = words(
    "sum add total average count double halve square multiply divide subtract round take"
)
"""Transforms that need numbers: they can only mean a result."""

PRODUCERS = words(
    "extract list calculate compute find add subtract multiply divide sum count write compose"
    " generate create invent translate summarize summarise convert sort solve evaluate name get"
    " work double halve average total give round square reverse take"
)
"""Verbs whose result is a thing that a later part can work on."""

LISTING = words("extract list name generate give")
"""Verbs whose result is a list with a first and a second item."""

QUOTING = words(
    "translate rewrite correct proofread paraphrase repeat summarize summarise classify fix edit"
    " improve rephrase explain spell read analyze analyse simplify format evaluate review"
)
"""Verbs whose text after a colon is material to work on, up to the end."""

RELATIONS = words(
    "sum total average mean median difference product quotient ratio result results answer answers"
    " maximum minimum largest smallest highest lowest biggest oldest youngest longest shortest"
    " perimeter area volume circumference reason reasons example examples step steps type types"
    " kind kinds use uses symptom symptoms treatment treatments benefit benefits drawback drawbacks"
    " advantage advantages disadvantage disadvantages risk risks feature features differences"
    " similarity similarities pros cons cause causes effect effects consequence consequences"
    " application applications alternative alternatives component components characteristics"
    " property properties theme themes point points idea ideas character characters lesson lessons"
    " title titles detail details source sources reference references option options population"
    " author conclusion conclusions argument arguments word words sentence sentences case cases"
)
"""Nouns that mean nothing without what they belong to."""

CALCULATED = words(
    "sum total average mean median difference product quotient ratio result results maximum minimum"
    " largest smallest highest lowest biggest oldest youngest longest shortest"
)
"""What can be worked out from earlier results."""

SUMS_OF_MONEY = words("change remainder rest cost price profit loss tip bill revenue discount")
"""Amounts that an earlier sentence of the same problem speaks of."""

ABOUT_OTHERS = words("example examples proof analogy overview explanation illustration")
"""Nouns that are about something: "an example in Python" leaves out of what."""

NEEDS_OTHER = words("differ differs compare compares relate relates vary")
"""Verbs that need a second thing; at the end of a clause it is one said before."""

COMPARATIVES = words(
    "taller larger bigger smaller older younger heavier lighter faster slower better worse longer"
    " shorter higher lower hotter colder cheaper richer stronger differently involved more less"
)
"""Words that measure against something; without "than" or "or" it was said before."""

ONE_SET = words("planet continent ocean")
"""Nouns of which there is one well-known set, which "the largest" ranks."""

MATERIAL = words(
    "article text passage story report paragraph code table list data document file image picture"
    " essay email letter number numbers values following"
)
"""Nouns for material that stands elsewhere in the question."""

FOUND_OUT = words("invented discovered patented")
"""Verbs whose object with "the" is a kind of thing, not one said before: "invented the wheel"."""

UNIQUE = words(
    "sun moon earth sea ocean sky world universe internet weather alphabet city mountains desert"
    " equator atmosphere climate economy environment night day year news future past galaxy web"
    " beginning end bible renaissance"
)
"""Nouns that need no earlier mention after "the"."""

SUPERLATIVES = words("best worst cheapest top latest newest nearest most least current main next")

BACK_REFERENCES = words(
    "it its itself they them their theirs themselves he him his she her hers this these those both"
    " either neither same former latter other others another else previous earlier again instead"
    " too respectively likewise similarly such thus therefore hence otherwise here remaining ones"
    " also still altogether left everything"
)
"""Words that point to something said before."""

SUBORDINATORS = words(
    "that which who whose where when if because while whether unless until before after since"
    " so although though how why"
)
"""Words that open a clause which a later "and" may belong to."""

PREPOSITIONS = words(
    "of about for between from on in with to against at into by near under over per within among"
    " during through around after before since below above than like without"
)
DETERMINERS = words(
    "a an the all every each some any one two three four five six seven eight nine ten my our me"
    " us up out best"
)

ARITHMETIC_WORDS = words(
    "calculate compute what what's is of plus minus times divided by percent add subtract multiply"
    " divide sum and the from to work out evaluate how much square root cubed squared find product"
    " difference between half double triple x take away"
)
OPERATORS = words("+ - * / ^ × ÷ x plus minus times divided < >")
"""A part made of these and of numbers is arithmetic: nothing later can refer to its words."""

COMMON = (
    PREPOSITIONS
    | AUXILIARY
    | WH
    | DETERMINERS
    | VERBS
    | words(
        "and json array python list lists name names please how many much year old years all me"
    )
)
"""Words that two clauses may share without speaking of the same thing."""

PHATIC = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|thanks|thank you|many thanks|please"
    r"|(?:please )?(?:help me|answer)(?: (?:with )?(?:these|the following|my|all))?"
    r"(?: of)?(?: these| the)?(?: \w+)?(?: questions?| tasks?)?(?: please)?"
    r"|i have (?:a few|some|several|two|three|four|\d+) (?:questions|things to ask)"
    r"|(?:two|three|four|a few|some|several) (?:things|questions)|questions|tasks"
    r"|(?:do|please do) the following)(?: there)?(?: please| in advance)?",
    re.IGNORECASE,
)
"""Politeness and announcements that carry no content of their own."""
