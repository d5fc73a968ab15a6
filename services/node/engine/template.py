"""Chat templates, rendered so that what people wrote never becomes the template's own markup.

The template is rendered with a mark in the place of each content, and cut at the marks afterwards:
what comes from the template may hold control tokens, what comes from people may not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quorate.errors import InvalidRequest, ModelUnusable

if TYPE_CHECKING:
    from services.node.engine.messages import ChatTurn

_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000(\\d+)\ue001")
_PROBE = "  \ue002  "


class Segment(NamedTuple):
    """A piece of a rendered conversation; only the template's own may hold control tokens."""

    text: str
    from_template: bool


def _refuse(reason: str) -> NoReturn:
    raise jinja2.TemplateError(reason)


class ChatTemplate:
    """A model's chat template. Raises ModelUnusable when it is not a template."""

    def __init__(self, source: str, bos: str, eos: str, today: Callable[[], datetime.date]) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: today().strftime(form)
        self._known = {"bos_token": bos, "eos_token": eos, "add_generation_prompt": True}
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise ModelUnusable(f"the model's chat template is broken: {error}") from error
        self._trims = self._find_whether_it_trims()

    def render(self, turns: Sequence[ChatTurn]) -> Sequence[Segment]:
        """Give the conversation as segments, ending where the assistant speaks.

        Raises InvalidRequest when the template refuses the conversation, such as its roles.
        """
        try:
            text = self._render(
                [(turn.role, _MARK.format(index)) for index, turn in enumerate(turns)]
            )
        except Exception as error:
            raise InvalidRequest.field(
                "messages",
                [turn.role for turn in turns],
                f"the model's chat template refuses them ({error})",
                "Use roles in the order that the model was trained on.",
            ) from error
        return self._cut(text, turns)

    def _render(self, turns: Sequence[tuple[str, str]]) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        return self._template.render(messages=messages, **self._known)

    def _cut(self, text: str, turns: Sequence[ChatTurn]) -> Sequence[Segment]:
        segments = []
        for index, part in enumerate(_MARKS.split(text)):
            if index % 2 == 0:
                segments.append(Segment(part, True))
                continue
            content = turns[int(part)].content
            segments.append(Segment(content.strip() if self._trims else content, False))
        return [segment for segment in segments if segment.text]

    def _find_whether_it_trims(self) -> bool:
        """Many templates trim contents; marks hide that, so it is found out and done here."""
        try:
            return _PROBE not in self._render([("user", _PROBE)])
        except Exception:  # noqa: BLE001 - it will be told with the first conversation
            return False
