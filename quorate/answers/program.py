"""Program text as an answer: found in a reply, and compared by what it does to names."""

from __future__ import annotations

import ast
import re

LONGEST_PROGRAM = 20_000

_FENCE = re.compile(r"```[a-zA-Z0-9+#-]*[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_START = re.compile(r"^(?:async def|def|class|import|from|@)\s?\S", re.MULTILINE)


def find_program(text: str) -> str | None:
    """Give the program in a reply: the longest fenced block, or all from the first definition."""
    fenced = [match[1].strip("\n") for match in _FENCE.finditer(text) if match[1].strip()]
    if fenced:
        return max(fenced, key=len)[:LONGEST_PROGRAM]
    start = _START.search(text)
    return text[start.start() :].strip()[:LONGEST_PROGRAM] if start else None


def canonical(source: str) -> str:
    """Write a program so that only differences of layout, comments and local names disappear.

    Text that is not Python is compared by its words.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return " ".join(source.split())
    try:
        return ast.dump(_Plain().visit(tree))
    except RecursionError:
        return " ".join(source.split())


class _Plain(ast.NodeTransformer):
    """Numbers the arguments and local variables of each function, drops what has no effect."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self._names = self._names, dict(self._names)
        for name in _own_names(node):
            self._names.setdefault(name, f"v{len(self._names)}")
        node.returns = None
        if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1:
            del node.body[0]
        self.generic_visit(node)
        self._names = outer
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._names.get(node.arg, node.arg)
        node.annotation = None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node


def _own_names(function: ast.FunctionDef) -> list[str]:
    """Give a function's arguments and assigned names in the order in which they appear."""
    names = [node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    inside = (node for statement in function.body for node in ast.walk(statement))
    names += [
        node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return names
