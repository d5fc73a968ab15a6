"""One-function Python tasks, each with assertions that check behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import everyday, words
from services.bench.suites.pocket.python_functions import FUNCTIONS, Function

TASK = "python"


_PARAMETERS = words(
    "x y n m p q u v w s t k num value item data left right first second items text"
)
_NAMED = (
    "Write a Python function {f}({p}).",
    "Write a Python function {f}({p}) that {s}.",
    "Write {f}({p}) in Python.",
    "Implement {f}({p}) in Python. It {s}.",
    "Define a function {f}({p}) that {s}.",
    "Please write the Python function {f}({p}).",
    "Code a Python function {f}({p}) that {s}.",
    "Give me a Python function called {f} with arguments {p} that {s}.",
    "Write a Python function {f}({p}) in a code block.",
    "In a ```python block, write {f}({p}).",
)
_DESCRIBED = (
    "Write a Python function that {s}.",
    "Write a function that {s}.",
    "Python function that {s}.",
    "I need a Python function that {s}.",
    "Show me a Python function that {s}.",
    "Can you write a Python function that {s}?",
    "Implement a function in Python that {s}.",
    "Create a Python function that {s}.",
    "Write a Python function that {s}, in a code block.",
    "Code a function that {s}.",
)


def source(function: Function, name: str, parameters: list[str]) -> str:
    """Write the function out under a name and with its parameters."""
    body = "\n".join(f"    {line}" for line in function.body.format(*parameters).split("\n"))
    return f"def {name}({', '.join(parameters)}):\n{body}"


def _checks(function: Function, name: str) -> tuple[str, ...]:
    rows = (row.split(" -> ") for row in function.checks)
    return tuple(f"assert {name}({given}) == {result}" for given, result in rows)


def _default_parameters(function: Function) -> list[str]:
    first = function.checks[0][0]
    if first in "'[":
        first_name = "text" if first == "'" else "items"
        return [first_name, "other"][: function.arity]
    return ["a", "b"][: function.arity] if function.arity == 2 else ["n"]


def _ask(random: Random, described: bool, functions: Sequence[Function] = FUNCTIONS) -> Item:
    function = random.choice(functions)
    if described:
        index, name = random.randrange(len(_DESCRIBED)), function.names[0]
        parameters, template = _default_parameters(function), _DESCRIBED[index]
    else:
        index, name = random.randrange(len(_NAMED)), random.choice(function.names)
        parameters, template = random.sample(_PARAMETERS, function.arity), _NAMED[index]
        if random.random() < 0.3:
            parameters = _default_parameters(function)
    said = random.randrange(len(function.says))
    says = function.says[said].format(*parameters)
    prompt = template.format(f=name, p=", ".join(parameters), s=says)
    code = source(function, name, parameters)
    fenced = f"```python\n{code}\n```" if "block" in template else code
    key = f"{described} {function.names[0]} {index} {said if described else (name, parameters)}"
    return Item(TASK, prompt, fenced, code, "code", key, "", _checks(function, name))


def draw(random: Random) -> Item:
    """Draw one function to write, named or described."""
    item = _ask(random, described=random.random() < 0.5)
    return item._replace(prompt=everyday(random, item.prompt))


def draw_short(random: Random, functions: Sequence[Function] = FUNCTIONS) -> Item:
    """Draw one plainly worded request, fit to be one part of a longer question."""
    while True:
        item = _ask(random, random.random() < 0.5, functions)
        if "block" not in item.prompt:
            return item
