"""Whatever raises in a window, the window goes on, and its user reads one line."""

import asyncio
from collections.abc import Callable
from typing import Any

import flet as ft
import msgpack
import pytest
from flet.controls.base_control import BaseControl
from flet.messaging.connection import Connection
from flet.messaging.protocol import (
    Message,
    MessageAction,
    configure_encode_object_for_msgpack,
)
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub
from typing_extensions import override

from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.keep_open import keep_open
from sidetone.protocol.refusals import Invalid
from tests.waiting import until

_PATIENCE_SECONDS = 10


def packed(what: object) -> bytes:
    """Return *what* as it is sent, by which Flet also notes what it has sent."""
    return msgpack.packb(what, default=configure_encode_object_for_msgpack(BaseControl))


class Browser(Connection):
    """Stands where a browser does, and keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.pubsubhub = PubSubHub(self.loop)
        self.actions: list[MessageAction] = []
        self.sent: list[str] = []

    @override
    def send_message(self, message: Message) -> None:
        self.actions.append(message.action)
        self.sent.append(repr(msgpack.unpackb(packed(message.body), strict_map_key=False)))


class Window:
    """One component on a page that is kept open."""

    def __init__(self) -> None:
        self.browser = Browser()
        self.session: Any = Session(self.browser)
        self.failures: asyncio.Queue[BaseException | None] = asyncio.Queue()
        packed(self.session.get_page_patch())

    @classmethod
    async def of(cls, component: Callable[[], ft.Control]) -> "Window":
        window = cls()
        page = window.session.page

        async def shown() -> None:
            page.render(component)
            keep_open(page, window.failures.put_nowait)

        await asyncio.wrap_future(page.run_task(shown))
        return window

    def button(self, key: str) -> int:
        (found,) = [
            each._i
            for each in self.session.index.values()
            if isinstance(each, ft.Button) and each.key == key
        ]
        return found

    async def click(self, key: str) -> None:
        await self.session.dispatch_event(self.button(key), "click", None)

    async def failure(self) -> BaseException | None:
        return await asyncio.wait_for(self.failures.get(), _PATIENCE_SECONDS)


def refuse() -> None:
    raise Invalid("too_many", "too many; take one away")


async def fail_later() -> None:
    await asyncio.sleep(0)
    raise ValueError("later")


async def test_a_handler_that_raises_does_not_end_the_window() -> None:
    clicks: list[str] = []

    @ft.component
    def buttons() -> ft.Control:
        return ft.Row(
            [
                ft.Button("x", key="bad", on_click=lambda: 1 / 0),
                ft.Button("x", key="later", on_click=fail_later),
                ft.Button("x", key="refused", on_click=refuse),
                ft.Button("x", key="good", on_click=lambda: clicks.append("good")),
            ]
        )

    window = await Window.of(buttons)
    for key, kind in (("bad", ZeroDivisionError), ("later", ValueError), ("refused", Invalid)):
        await window.click(key)
        assert isinstance(await window.failure(), kind)
    await window.click("good")
    assert clicks == ["good"]
    assert window.failures.empty()
    assert MessageAction.SESSION_CRASHED not in window.browser.actions


async def test_what_a_component_does_when_it_appears_may_raise() -> None:
    @ft.component
    def troubled() -> ft.Control:
        hooks.mounted(refuse)
        return ft.Button("x", key="there", on_click=lambda: None)

    window = await Window.of(troubled)
    assert isinstance(await window.failure(), Invalid)
    await window.click("there")
    assert MessageAction.SESSION_CRASHED not in window.browser.actions


async def test_a_component_that_cannot_be_drawn_stops_no_other() -> None:
    drawn_again = asyncio.Event()

    @ft.component
    def fragile() -> ft.Control:
        count, change = hooks.state(0)
        if count == 1:
            raise ValueError("no")
        return ft.Button("x", key="fragile", on_click=lambda: change(1))

    @ft.component
    def steady() -> ft.Control:
        count, change = hooks.state(0)
        if count:
            drawn_again.set()
        return ft.Button("x", key="steady", on_click=lambda: change(count + 1))

    @ft.component
    def both() -> ft.Control:
        return ft.Row([fragile(), steady()])

    window = await Window.of(both)
    await window.click("fragile")
    assert isinstance(await window.failure(), ValueError)
    await window.click("steady")
    await asyncio.wait_for(drawn_again.wait(), _PATIENCE_SECONDS)


async def test_a_late_answer_of_what_is_gone_ends_nothing() -> None:
    window = await Window.of(lambda: ft.Text("here"))
    window.session.handle_invoke_method_results(123_456, "call", None, None)


async def test_what_happens_to_what_is_gone_is_not_looked_for() -> None:
    window = await Window.of(lambda: ft.Text("here"))
    window.session._Session__find_live_control = lambda *_: pytest.fail("all was looked through")
    await window.session.dispatch_event(123_456, "click", None)


async def test_what_is_drawn_while_one_types_puts_no_older_text_back() -> None:
    drawn: list[str] = []

    @ft.component
    def writing() -> ft.Control:
        text, enter = hooks.state("")
        drawn.append(text)
        return ft.TextField(text, key="field", on_change=lambda e: enter(e.control.value))

    window = await Window.of(writing)
    (field,) = [
        each._i for each in window.session.index.values() if isinstance(each, ft.TextField)
    ]
    for before, text in (("", "a"), ("a", "ab")):
        window.session.apply_patch(field, {"value": text})
        # Of the letter before it is heard now, and drawn, though there is one more.
        await until(lambda before=before: drawn[-1] == before)
        await window.session.dispatch_event(field, "change", text)
    await until(lambda: drawn[-1] == "ab")
    assert not [sent for sent in window.browser.sent[1:] if "'a'" in sent or "'ab'" in sent]


async def test_who_hears_of_a_change_finds_what_it_was_changed_to_then() -> None:
    """A new line after letters is an Enter only for who sees the letters without it."""
    heard: list[str] = []

    @ft.component
    def writing() -> ft.Control:
        return ft.TextField("", key="field", on_change=lambda e: heard.append(e.control.value))

    window = await Window.of(writing)
    (field,) = [
        each._i for each in window.session.index.values() if isinstance(each, ft.TextField)
    ]
    hearing: list[asyncio.Task[None]] = []
    for text in ("fox", "fox\n"):
        window.session.apply_patch(field, {"value": text})
        told = window.session.dispatch_event(field, "change", text)
        hearing.append(asyncio.create_task(told))
    await asyncio.gather(*hearing)
    assert heard == ["fox", "fox\n"]
