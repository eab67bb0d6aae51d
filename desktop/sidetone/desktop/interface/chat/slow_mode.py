"""How long one has to wait before writing again in a channel that wants it slow."""

import asyncio

import flet as ft

from sidetone.desktop.domain.rows import time_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.permissions import Permission


def seconds_left(pane: Pane) -> int:
    """Return the seconds until one may write again; 0: now."""
    known = pane.known
    slow = known.slow_mode_seconds if known is not None else 0
    if not slow or pane.may(Permission.BYPASS_SLOW_MODE):
        return 0
    me = pane.account.id
    last = next((m for m in reversed(pane.timeline.messages) if m.author == me), None)
    if last is None:
        return 0
    return max(0, slow - (pane.account.clock.now_ms() - time_of(last.id)) // 1000)


@ft.component
def SlowMode(pane: Pane) -> ft.Control:
    """Count the seconds down, while there are any."""
    pane.view.watch(Topic("messages", pane.channel))
    left, set_left = hooks.state(0)
    now_left = seconds_left(pane)

    async def count() -> None:
        while seconds_left(pane) > 0:
            set_left(seconds_left(pane))
            await asyncio.sleep(1)
        set_left(0)

    def begin() -> None:
        if now_left > 0:
            pane.start(count())

    ft.use_effect(begin, [now_left > 0])
    return hooks.kept().use("left", SecondsLeft, min(left, now_left) or now_left)


@ft.component
def SecondsLeft(shown: int) -> ft.Control:
    """Say how many there are; only when it is another number."""
    if not shown:
        return ft.Container(visible=False)
    words = tr("Slow mode: {n} s", n=shown)
    label = kit.text(words, "label", theme.FAINT)
    return kit.semantics("slow-mode", ft.Container(label, padding=10), words)
