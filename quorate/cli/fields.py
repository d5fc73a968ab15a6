"""Lets a command take its options as one value: Typer reads them from the fields of a class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")


def with_fields_of(
    options: type[Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Make a function of a dataclass one of its fields, for a command line to read.

    A field's type says, by `Annotated`, how it is given; its default says that it may be left out.
    """
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(options).parameters.items()
    ]

    def decorate(command: Callable[[Options], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def of_fields(**fields: Any) -> None:
            command(options(**fields))

        del of_fields.__wrapped__  # its signature is another
        of_fields.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        of_fields.__annotations__ = {name: hints[name] for name in hints} | {"return": None}
        return of_fields

    return decorate
