"""Chat templates of strangers, and contents of strangers."""

from __future__ import annotations

import datetime

import pytest

from quorate.errors import InvalidRequest, ModelUnusable
from services.node.engine.messages import ChatTurn
from services.node.engine.template import ChatTemplate, Segment

POCKET = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def template(source: str = POCKET) -> ChatTemplate:
    return ChatTemplate(source, "<s>", "</s>", lambda: datetime.date(2026, 1, 2))


def test_a_conversation_is_cut_into_markup_and_contents() -> None:
    turns = [ChatTurn("system", "Be kind."), ChatTurn("user", "<|end|>")]
    assert template().render(turns) == [
        Segment("<s><|system|>", True),
        Segment("Be kind.", False),
        Segment("<|end|><|user|>", True),
        Segment("<|end|>", False),
        Segment("<|end|><|assistant|>", True),
    ]


def test_contents_are_trimmed_exactly_when_the_template_trims() -> None:
    trimming = template("{% for m in messages %}{{ m.content | trim }};{% endfor %}")
    assert trimming.render([ChatTurn("user", " a ")])[0].text == "a"
    assert template().render([ChatTurn("user", " a ")])[1].text == " a "


def test_a_content_is_never_read_as_template_or_mark() -> None:
    hostile = "{{ 1 + 1 }} \ue0000\ue001"
    assert template().render([ChatTurn("user", hostile)])[1] == Segment(hostile, False)


def test_a_template_may_refuse_roles_with_its_reason() -> None:
    strict = template(
        "{% for m in messages %}{% if m.role == 'system' %}"
        "{{ raise_exception('no system role') }}{% endif %}{{ m.content }}{% endfor %}"
    )
    with pytest.raises(InvalidRequest, match="no system role"):
        strict.render([ChatTurn("system", "x")])
    assert strict.render([ChatTurn("user", "x")]) == [Segment("x", False)]


def test_a_template_that_fails_in_any_way_refuses_the_conversation() -> None:
    with pytest.raises(InvalidRequest, match="refuses"):
        template("{{ messages[0].content[99999] + 1 }}").render([ChatTurn("user", "x")])


def test_a_template_cannot_reach_the_interpreter() -> None:
    escape = template(
        "{{ messages.__class__.__mro__[1].__subclasses__() }}{{ messages[0].content }}"
    )
    with pytest.raises(InvalidRequest):
        escape.render([ChatTurn("user", "x")])


def test_a_broken_template_makes_the_model_unusable() -> None:
    with pytest.raises(ModelUnusable, match="template"):
        template("{% for %}")


def test_a_template_may_ask_for_the_date() -> None:
    dated = template("{{ strftime_now('%d %b') }} {{ messages[0].content }}")
    assert dated.render([ChatTurn("user", "x")])[0].text == "02 Jan "
