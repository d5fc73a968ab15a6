"""Program text as an answer: found in a reply, and compared without regard to local names."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

from quorate.answers import renaming

LONGEST_PROGRAM = 20_000

_FENCE = re.compile(r"```[ \t]*([\w+#-]*)[^\n]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_START = re.compile(r"^(?:(?:async[ ]def|def|class|import|from)[ ]\w|@\w)", re.MULTILINE)
_OPEN_LINE = re.compile(
    r"$|[ \t)\]}#@]|\w+\s*(?:=|\+=|\()"
    r"|(?:async def|def|class|import|from|if|else|elif|for|while|try|except|finally|with|return)\b"
)
"""How a line of a program begins, or goes on, at the left margin."""
_DATA_FENCES = frozenset({"json", "text", "txt", "markdown", "md"})


def fenced(text: str, languages: frozenset[str] | None = None) -> list[str]:
    """Give the fenced blocks of a reply: of these languages, or of all but those for data."""
    return [
        match[2]
        for match in _FENCE.finditer(text)
        if match[2].strip()
        and (
            match[1].lower() in languages
            if languages is not None
            else match[1].lower() not in _DATA_FENCES
        )
    ]


def find_program(text: str) -> str | None:
    """Give the program in a reply: the longest fenced block, or the lines from a definition on."""
    blocks = fenced(text)
    if blocks:
        return textwrap.dedent(max(blocks, key=len)[:LONGEST_PROGRAM]).strip()
    start = _START.search(text)
    if start is None:
        return None
    lines = text[start.start() : start.start() + LONGEST_PROGRAM].splitlines()
    ends = (number for number, line in enumerate(lines) if not _OPEN_LINE.match(line))
    return "\n".join(lines[: next(ends, len(lines))]).strip()


def is_statement(text: str) -> bool:
    """Whether a text without a definition is still a program: an assignment, a lambda, a call."""
    tree = _parsed(text[:LONGEST_PROGRAM])
    if tree is None or not tree.body:
        return False
    return any(
        isinstance(node, ast.Lambda | ast.Assign | ast.Call | ast.For | ast.While | ast.ListComp)
        for node in ast.walk(tree)
    )


def canonical(source: str) -> str:
    """Write a program so that layout, comments, annotations and local names disappear.

    Text that is not Python is compared by its tokens.
    """
    tree = _parsed(source)
    if tree is None:
        return _by_tokens(source)
    try:
        return ast.dump(renaming.plain(tree))
    except RecursionError:
        return _by_tokens(source)


_TOKEN = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/|\w+"
    r"|\+\+|--|&&|\|\||[-=]>|[-+*/%!<>=]?=|\S",
    re.DOTALL,
)
_QUERY = re.compile(r"\s*(?:select|insert|update|delete|create|with)\b", re.IGNORECASE)


def _by_tokens(source: str) -> str:
    """Write a program without comments and layout; the case of a query's words does not count."""
    found = _TOKEN.findall(source[:LONGEST_PROGRAM])
    tokens = [token for token in found if not token.startswith(("//", "/*"))]
    if _QUERY.match(source):
        tokens = [token if token[0] in "\"'" else token.lower() for token in tokens]
        tokens = tokens[:-1] if tokens[-1] == ";" else tokens
    return " ".join(tokens)


def _parsed(source: str) -> ast.Module | None:
    try:
        # The parser warns about odd escapes; whoever compares two texts is not to be told.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
