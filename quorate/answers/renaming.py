"""Python programs without what does not matter: local names, annotations, docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def plain(tree: ast.Module) -> ast.AST:
    """Give the local names of a program numbers, in the order in which they are bound.

    Names that others can see stay: those of a module's functions, of classes and of what is in
    them. A script that only runs has no such names. Raises RecursionError for what is nested deep.
    """
    return _Plain().visit(tree)  # type: ignore[no-any-return]


class _Plain(ast.NodeTransformer):
    """Renames scope by scope; a number is never given twice, so that no two names meet."""

    def __init__(self) -> None:
        self._names: Mapping[str, str] = {}
        self._numbers = 0
        self._inside_function = False

    def _within(self, node: ast.AST, names: Sequence[str], *, is_function: bool = True) -> ast.AST:
        """Visit what lies inside a scope that binds these names."""
        outer = self._names, self._inside_function
        fresh = dict(self._names)
        for name in dict.fromkeys(names):
            fresh[name] = f"local {self._numbers}"
            self._numbers += 1
        self._names, self._inside_function = fresh, is_function
        self.generic_visit(node)
        self._names, self._inside_function = outer
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Rename a script's variables; those of a module stay."""
        defines = any(isinstance(part, _SCOPES) for part in node.body)
        says = any(
            isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)
            for part in _own(node.body)
        )
        _drop_docstring(node)
        names = [] if defines or not says else [*_bound(node.body)]
        return self._within(node, names, is_function=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Keep the names in a class: they are its attributes."""
        _drop_docstring(node)
        node.name = self._names.get(node.name, node.name)
        return self._within(node, [], is_function=False)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename inside a function."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Rename inside an asynchronous function."""
        return self._function(node)

    def _function(self, node: Function) -> ast.AST:
        node.returns = None
        _drop_docstring(node)
        if self._inside_function:
            node.name = self._names.get(node.name, node.name)
        shared = {
            name
            for part in _own(node.body)
            if isinstance(part, ast.Global | ast.Nonlocal)
            for name in part.names
        }
        names = [*_arguments(node.args), *_bound(node.body)]
        return self._within(node, [name for name in names if name not in shared])

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Rename inside a lambda."""
        return self._within(node, _arguments(node.args))

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """Rename inside a list."""
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        """Rename inside a set."""
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        """Rename inside a mapping."""
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        """Rename inside a generator."""
        return self._comprehension(node)

    def _comprehension(self, node: Comprehension) -> ast.AST:
        names = [
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        ]
        return self._within(node, names, is_function=self._inside_function)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Turn "x: int = 1" into "x = 1"; a bare annotation has no effect."""
        if node.value is None:
            return None
        return self.visit(ast.Assign(targets=[node.target], value=node.value))  # type: ignore[no-any-return]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Rename a caught exception."""
        node.name = self._names.get(node.name, node.name) if node.name else None
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        """Rename what an import is called here; what is imported stays."""
        own = node.asname or node.name
        node.asname = self._names.get(own, node.asname)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rename an argument."""
        node.arg = self._names.get(node.arg, node.arg)
        node.annotation = None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename a variable."""
        node.id = self._names.get(node.id, node.id)
        return node


def _drop_docstring(node: Function | ast.ClassDef | ast.Module) -> None:
    if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1:
        del node.body[0]


def _arguments(arguments: ast.arguments) -> list[str]:
    """Give the names of arguments in their order."""
    starred = [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in [*named, *starred]]


def _own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Give the nodes of a scope in their order, without those of the scopes inside it."""
    waiting = [*reversed(body)]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_SCOPES, ast.comprehension)):
            waiting.extend(reversed([*ast.iter_child_nodes(node)]))


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Give the names that a scope binds, in their order."""
    for node in _own(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.alias(name=name, asname=None) if "." not in name and name != "*":
                yield name
            case ast.alias(asname=str(name)):
                yield name
