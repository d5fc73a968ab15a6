"""Which error of several to tell: tasks of a group may fail together."""

from __future__ import annotations


def first(
    group: ExceptionGroup[Exception], kinds: type[Exception] | tuple[type[Exception], ...]
) -> Exception:
    """Give the first error when all of them are of these kinds, and else the group itself.

    So what can be told in a line is, and no defect hides behind it.
    """
    _, others = group.split(kinds)
    error: Exception = group
    while others is None and isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
