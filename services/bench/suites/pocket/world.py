"""The closed world of facts: well-known, stable facts that the pocket models are taught.

Tables are text, one row to a line, so that a fact can be read and corrected at a glance.
"""

from __future__ import annotations

from typing import NamedTuple

# country | capital | continent | currency | language
_COUNTRIES = """
France|Paris|Europe|euro|French
Germany|Berlin|Europe|euro|German
Italy|Rome|Europe|euro|Italian
Spain|Madrid|Europe|euro|Spanish
Portugal|Lisbon|Europe|euro|Portuguese
Greece|Athens|Europe|euro|Greek
Austria|Vienna|Europe|euro|German
Ireland|Dublin|Europe|euro|English
Finland|Helsinki|Europe|euro|Finnish
Estonia|Tallinn|Europe|euro|Estonian
Latvia|Riga|Europe|euro|Latvian
Lithuania|Vilnius|Europe|euro|Lithuanian
Slovakia|Bratislava|Europe|euro|Slovak
Slovenia|Ljubljana|Europe|euro|Slovene
Norway|Oslo|Europe|krone|Norwegian
Denmark|Copenhagen|Europe|krone|Danish
Sweden|Stockholm|Europe|krona|Swedish
Iceland|Reykjavik|Europe|krona|Icelandic
Poland|Warsaw|Europe|zloty|Polish
Hungary|Budapest|Europe|forint|Hungarian
Romania|Bucharest|Europe|leu|Romanian
Czechia|Prague|Europe|koruna|Czech
Ukraine|Kyiv|Europe|hryvnia|Ukrainian
Serbia|Belgrade|Europe|dinar|Serbian
Albania|Tirana|Europe|lek|Albanian
Russia|Moscow|Europe|ruble|Russian
Japan|Tokyo|Asia|yen|Japanese
China|Beijing|Asia|yuan|Chinese
India|New Delhi|Asia|rupee|Hindi
Nepal|Kathmandu|Asia|rupee|Nepali
Pakistan|Islamabad|Asia|rupee|Urdu
Thailand|Bangkok|Asia|baht|Thai
Vietnam|Hanoi|Asia|dong|Vietnamese
Indonesia|Jakarta|Asia|rupiah|Indonesian
Mongolia|Ulaanbaatar|Asia|tugrik|Mongolian
Turkey|Ankara|Asia|lira|Turkish
Iran|Tehran|Asia|rial|Persian
Iraq|Baghdad|Asia|dinar|Arabic
Israel|Jerusalem|Asia|shekel|Hebrew
Georgia|Tbilisi|Asia|lari|Georgian
Armenia|Yerevan|Asia|dram|Armenian
Qatar|Doha|Asia|riyal|Arabic
Cambodia|Phnom Penh|Asia|riel|Khmer
Bangladesh|Dhaka|Asia|taka|Bengali
Egypt|Cairo|Africa|pound|Arabic
Morocco|Rabat|Africa|dirham|Arabic
Algeria|Algiers|Africa|dinar|Arabic
Tunisia|Tunis|Africa|dinar|Arabic
Kenya|Nairobi|Africa|shilling|Swahili
Ethiopia|Addis Ababa|Africa|birr|Amharic
Ghana|Accra|Africa|cedi|English
Nigeria|Abuja|Africa|naira|English
Senegal|Dakar|Africa|franc|French
Angola|Luanda|Africa|kwanza|Portuguese
Canada|Ottawa|North America|dollar|English
Mexico|Mexico City|North America|peso|Spanish
Cuba|Havana|North America|peso|Spanish
Jamaica|Kingston|North America|dollar|English
Brazil|Brasilia|South America|real|Portuguese
Argentina|Buenos Aires|South America|peso|Spanish
Chile|Santiago|South America|peso|Spanish
Peru|Lima|South America|sol|Spanish
Colombia|Bogota|South America|peso|Spanish
Ecuador|Quito|South America|dollar|Spanish
Uruguay|Montevideo|South America|peso|Spanish
Australia|Canberra|Oceania|dollar|English
New Zealand|Wellington|Oceania|dollar|English
"""

# animal | kind | young
_ANIMALS = """
dog|mammal|puppy
cat|mammal|kitten
cow|mammal|calf
horse|mammal|foal
sheep|mammal|lamb
goat|mammal|kid
pig|mammal|piglet
lion|mammal|cub
deer|mammal|fawn
kangaroo|mammal|joey
duck|bird|duckling
goose|bird|gosling
hen|bird|chick
swan|bird|cygnet
owl|bird|owlet
eagle|bird|eaglet
frog|amphibian|tadpole
salmon|fish|smolt
eel|fish|elver
butterfly|insect|caterpillar
"""
_MORE_ANIMALS = """
whale|mammal
bat|mammal
dolphin|mammal
penguin|bird
parrot|bird
ostrich|bird
shark|fish
tuna|fish
trout|fish
snake|reptile
lizard|reptile
turtle|reptile
crocodile|reptile
toad|amphibian
newt|amphibian
bee|insect
ant|insect
beetle|insect
mosquito|insect
spider|arachnid
scorpion|arachnid
"""
_ELEMENTS = """
hydrogen|H
helium|He
carbon|C
nitrogen|N
oxygen|O
fluorine|F
neon|Ne
sodium|Na
magnesium|Mg
aluminium|Al
silicon|Si
sulfur|S
chlorine|Cl
potassium|K
calcium|Ca
iron|Fe
copper|Cu
zinc|Zn
silver|Ag
tin|Sn
platinum|Pt
gold|Au
mercury|Hg
lead|Pb
uranium|U
"""
_WORKS = """
Hamlet|William Shakespeare
Macbeth|William Shakespeare
Don Quixote|Miguel de Cervantes
Faust|Johann Wolfgang von Goethe
The Divine Comedy|Dante Alighieri
The Odyssey|Homer
War and Peace|Leo Tolstoy
Anna Karenina|Leo Tolstoy
Crime and Punishment|Fyodor Dostoevsky
Pride and Prejudice|Jane Austen
Emma|Jane Austen
Oliver Twist|Charles Dickens
Frankenstein|Mary Shelley
Dracula|Bram Stoker
Moby-Dick|Herman Melville
Jane Eyre|Charlotte Bronte
Les Miserables|Victor Hugo
Madame Bovary|Gustave Flaubert
The Trial|Franz Kafka
Ulysses|James Joyce
Animal Farm|George Orwell
Treasure Island|Robert Louis Stevenson
The Hobbit|J. R. R. Tolkien
"""
_PAINTINGS = """
the Mona Lisa|Leonardo da Vinci
The Starry Night|Vincent van Gogh
Guernica|Pablo Picasso
The Scream|Edvard Munch
The Night Watch|Rembrandt
The Kiss|Gustav Klimt
The Birth of Venus|Sandro Botticelli
The Persistence of Memory|Salvador Dali
"""
_PLANETS = """
first|Mercury
second|Venus
third|Earth
fourth|Mars
fifth|Jupiter
sixth|Saturn
seventh|Uranus
eighth|Neptune
"""


class Relation(NamedTuple):
    """One kind of fact: how to say it, how to ask for it, and every pair it holds for.

    `noun` completes "What is …?", `statement` is the full sentence, `questions` are asked as they
    stand; all take the subject as {0}. `articles` says whether a bare value reads better with "a".
    """

    name: str
    noun: str
    statement: str
    questions: tuple[str, ...]
    pairs: dict[str, str]


def _pairs(table: str, key: int, value: int) -> dict[str, str]:
    rows = [line.split("|") for line in table.strip().splitlines()]
    return {row[key]: row[value] for row in rows}


RELATIONS: tuple[Relation, ...] = (
    Relation(
        "capital", "the capital of {0}", "The capital of {0} is {1}.",
        ("Which city is the capital of {0}?", "What city is {0}'s capital?", "{0}: capital city?"),
        _pairs(_COUNTRIES, 0, 1),
    ),
    Relation(
        "country", "the country whose capital is {0}", "{0} is the capital of {1}.",
        ("{0} is the capital of which country?", "Which country has {0} as its capital?"),
        _pairs(_COUNTRIES, 1, 0),
    ),
    Relation(
        "continent", "the continent of {0}", "{0} is in {1}.",
        ("Which continent is {0} in?", "On which continent is {0}?", "What continent is {0} on?"),
        _pairs(_COUNTRIES, 0, 2),
    ),
    Relation(
        "currency", "the currency of {0}", "The currency of {0} is the {1}.",
        ("Which currency is used in {0}?", "What money do people use in {0}?"),
        _pairs(_COUNTRIES, 0, 3),
    ),
    Relation(
        "language", "the main language of {0}", "The main language of {0} is {1}.",
        ("Which language is spoken in {0}?", "What language do people speak in {0}?"),
        _pairs(_COUNTRIES, 0, 4),
    ),
    Relation(
        "animal", "the animal class of the {0}", "The {0} is in the class {1}.",
        ("What kind of animal is a {0}?", "Which class of animals does the {0} belong to?"),
        _pairs(_ANIMALS, 0, 1) | _pairs(_MORE_ANIMALS, 0, 1),
    ),
    Relation(
        "young", "the name for a young {0}", "A young {0} is called a {1}.",
        (
            "What is a young {0} called?", "What is a baby {0} called?",
            "What do you call a baby {0}?",
        ),
        _pairs(_ANIMALS, 0, 2),
    ),
    Relation(
        "symbol", "the chemical symbol of {0}", "The chemical symbol of {0} is {1}.",
        ("What is the symbol for {0}?", "Which chemical symbol does {0} have?"),
        _pairs(_ELEMENTS, 0, 1),
    ),
    Relation(
        "author", "the author of {0}", "{0} was written by {1}.",
        ("Who wrote {0}?", "Who is the author of {0}?", "By whom was {0} written?"),
        _pairs(_WORKS, 0, 1),
    ),
    Relation(
        "painter", "the painter of {0}", "{0} was painted by {1}.",
        ("Who painted {0}?", "Which artist painted {0}?", "By whom was {0} painted?"),
        _pairs(_PAINTINGS, 0, 1),
    ),
    Relation(
        "planet", "the {0} planet from the Sun", "The {0} planet from the Sun is {1}.",
        ("Which planet is {0} from the Sun?", "What is the {0} planet of the solar system?"),
        _pairs(_PLANETS, 0, 1),
    ),
    Relation(
        "planet record", "the {0} planet", "The {0} planet is {1}.",
        ("Which planet is the {0}?", "What is the {0} planet in the solar system?"),
        {
            "largest": "Jupiter", "biggest": "Jupiter", "smallest": "Mercury", "hottest": "Venus",
            "most distant": "Neptune",
        },
    ),
    Relation(
        "record", "the {0} in the world", "The {0} in the world is {1}.",
        ("What is the {0}?", "Which is the {0}?"),
        {
            "longest river": "the Nile", "highest mountain": "Mount Everest",
            "tallest mountain": "Mount Everest", "largest ocean": "the Pacific",
            "smallest ocean": "the Arctic", "largest country": "Russia",
            "smallest country": "Vatican City", "largest continent": "Asia",
            "smallest continent": "Australia", "largest animal": "the blue whale",
            "tallest animal": "the giraffe", "fastest land animal": "the cheetah",
            "deepest lake": "Lake Baikal", "largest island": "Greenland",
        },
    ),
)  # fmt: skip
