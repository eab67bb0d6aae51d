"""What is pinned in a channel."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.side_panel import empty, found_list, side_panel, waiting
from sidetone.protocol.messages import Message


@ft.component
def PinsPanel(pane: Pane) -> ft.Control:
    """Draw the pins, the latest first; they are read again when messages changed."""
    pane.view.watch(Topic("messages", pane.channel))
    pins, set_pins = hooks.state(_unread())
    pinned = sum(message.pinned for message in pane.timeline.messages)

    async def read() -> None:
        found = await pane.account.client.api.messages.pins(pane.channel)
        pane.account.want_names(*(message.author for message in found))
        set_pins(found)

    ft.use_effect(lambda: pane.start(read()), [pinned])
    if pins is None:
        content = waiting()
    elif not pins:
        content = empty(
            tr("Nothing is pinned here. Pin what others should find from a message's menu."),
            ft.Icons.PUSH_PIN_OUTLINED,
        )
    else:
        content = ft.ListView(found_list(pane, pins), expand=True)
    return side_panel(pane, "pins", tr("Pinned messages"), content)


def _unread() -> list[Message] | None:
    return None
