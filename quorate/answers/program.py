"""Program text as an answer: found in a reply, and compared without regard to local names."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

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

    Text that is not Python is compared by its words.
    """
    tree = _parsed(source)
    if tree is None:
        return " ".join(source.split())
    try:
        return ast.dump(_Plain().visit(tree))
    except RecursionError:
        return " ".join(source.split())


def _parsed(source: str) -> ast.Module | None:
    try:
        # The parser warns about odd escapes; whoever compares two texts is not to be told.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Plain(ast.NodeTransformer):
    """Numbers the arguments and local variables of each function, drops what has no effect."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename inside a function."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Rename inside an asynchronous function."""
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outer, self._names = self._names, dict(self._names)
        self._rename(_arguments(node.args) + _assigned(node.body))
        node.returns = None
        if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1:
            del node.body[0]
        self.generic_visit(node)
        self._names = outer
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Rename inside a lambda."""
        outer, self._names = self._names, dict(self._names)
        self._rename(_arguments(node.args))
        self.generic_visit(node)
        self._names = outer
        return node

    def _rename(self, names: list[str]) -> None:
        for name in dict.fromkeys(names):
            self._names[name] = f"local {len(self._names)}"

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Turn "x: int = 1" into "x = 1"; a bare annotation has no effect."""
        if node.value is None:
            return None
        return self.visit(ast.Assign(targets=[node.target], value=node.value))  # type: ignore[no-any-return]

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rename an argument."""
        node.arg = self._names.get(node.arg, node.arg)
        node.annotation = None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename a variable."""
        node.id = self._names.get(node.id, node.id)
        return node


def _arguments(arguments: ast.arguments) -> list[str]:
    """Give the names of arguments in their order."""
    starred = [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in [*plain, *starred]]


def _assigned(body: list[ast.stmt]) -> list[str]:
    """Give the names that statements assign, in the order in which they appear."""
    return [
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
