"""What Flet is spared is what it would have worked out."""

import inspect
from collections.abc import Iterator
from typing import Any

import flet as ft
import pytest
from flet.controls import base_control, control_event
from flet.messaging.protocol import Message, MessageAction, PatchControlBody

from sidetone.desktop.infrastructure.flet_costs import event_type, spare


def handlers() -> Iterator[tuple[type[ft.Control], str]]:
    """Return each handler that a control of Flet's has."""
    for _, kind in inspect.getmembers(ft, inspect.isclass):
        if issubclass(kind, ft.BaseControl):
            for name in kind.__dataclass_fields__:
                if name.startswith("on_"):
                    yield kind, name


def as_flet_does(control: object, field: str) -> object:
    """Work it out from where Flet asks for it, whose names count too."""
    names = vars(base_control) | {"work": control_event.get_event_field_type}
    exec("def ask(control, field): return work(control, field)", names)
    return names["ask"](control, field)


def test_the_kind_of_an_event_is_the_one_that_flet_finds() -> None:
    found = 0
    for kind, field in handlers():
        control = object.__new__(kind)
        try:
            expected = as_flet_does(control, field)
        except RuntimeError:
            # It begins like a handler, and is a colour or a text.
            continue
        assert event_type(control, field) == expected, (kind, field)
        assert event_type(control, field) is event_type(object.__new__(kind), field)
        found += 1
    assert found > 200
    assert event_type(object.__new__(ft.Text), "on_nothing") is None


def test_no_message_is_put_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Message, "__repr__", Message.__repr__)
    monkeypatch.setattr(base_control, "get_event_field_type", event_type)
    spare()
    body: Any = PatchControlBody(1, ["words of somebody"])
    assert "somebody" not in repr(Message(MessageAction.PATCH_CONTROL, body))
