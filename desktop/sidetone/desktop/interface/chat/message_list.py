"""The messages of a channel, from any place in its history on."""

import flet as ft

from sidetone.desktop.domain.rows import Chunk
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.message_row import MessageRow
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.pending_row import PendingRow
from sidetone.desktop.interface.later import gradually
from sidetone.protocol.servers import Channel

# Far enough that all that is drawn is laid out: only then its place is known.
_LAID_OUT_PIXELS = 40_000
_SCROLL_MS = 80
# Messages that are drawn in one turn, and how high one is about.
_AT_ONCE = 1
_ROW_HEIGHT = 44


@ft.component
def MessageList(pane: Pane) -> ft.Control:
    """Draw what is loaded around the place where one is, the newest at the bottom."""
    pane.view.watch(Topic("messages", pane.channel))
    drawn = pane.cut()
    kept = hooks.kept()
    timeline = pane.timeline
    ft.use_effect(pane.seen)
    children: list[ft.Control] = []
    if drawn.below:
        children.append(ft.Container(height=drawn.below, key="below"))
    else:
        children.append(hooks.keyed("pending", _Unsent, pane, tuple(timeline.pending)))
    children += [kept.use(str(each.key), MessageChunk, pane, each) for each in drawn.chunks]
    if drawn.above:
        children.append(ft.Container(height=drawn.above, key="above"))
    elif timeline.begins:
        children.append(hooks.keyed("begins", Beginning, pane))
    elif timeline.loaded:
        children.append(_reading())
    if not timeline.loaded and not timeline.messages:
        return ft.Container(_reading(), expand=True, alignment=ft.Alignment.CENTER)
    return ft.ListView(
        children,
        ref=pane.list,
        reverse=True,
        expand=True,
        cache_extent=_LAID_OUT_PIXELS,
        padding=ft.Padding.only(top=10, bottom=14),
        on_scroll=pane.scrolled,
        scroll_interval=_SCROLL_MS,
    )


@ft.component
def MessageChunk(pane: Pane, chunk: Chunk) -> ft.Control:
    """Draw a few messages together, the newest first; only when one of them changed."""
    count = len(chunk.rows)
    # Where one wants to be must be there at once, or nothing could scroll to it.
    sought = any(row.found or row.new for row in chunk.rows)
    ready = gradually(pane.view, count, _AT_ONCE)
    drawn = count if sought else ready
    rest = ft.Container(height=_ROW_HEIGHT * (count - drawn), key="rest")
    rows = chunk.rows[count - drawn :]
    kept = hooks.kept()
    return ft.Container(
        ft.Column(
            [rest, *(kept.use(str(row.message.id), MessageRow, pane, row) for row in rows)],
            spacing=0,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        on_size_change=lambda e: pane.measured(chunk, e),
    )


@ft.component
def Unsent(pane: Pane, _: tuple[Pending, ...]) -> ft.Control:
    """Draw what we wrote and the server does not have yet.

    By itself, so that what one writes is there at once: a list that gets another part lays all
    of it out anew. What it is called with are those that the list knows of: what was sent goes
    from here as it comes there.
    """
    pane.view.watch(Topic("pending", pane.channel), Topic("accounts"))
    return ft.Column(
        [hooks.keyed(each.nonce, PendingRow, pane, each) for each in pane.timeline.pending],
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


_Unsent = hooks.memo(Unsent)


@ft.component
def Beginning(pane: Pane) -> ft.Control:
    """Say that nothing is older, and what the place is for."""
    known = pane.known
    return ft.Container(
        ft.Column(
            [
                ft.Container(
                    ft.Icon(_icon(known), color=theme.TEXT, size=30),
                    bgcolor=theme.RAISED,
                    border_radius=30,
                    padding=14,
                ),
                kit.text(_welcome(known), "screen"),
                kit.text(_purpose(known), color=theme.QUIET),
            ],
            spacing=6,
        ),
        padding=ft.Padding.only(left=18, right=18, top=40, bottom=10),
    )


def _icon(known: Channel | None) -> ft.IconData:
    if known is not None and known.kind == "direct":
        return ft.Icons.CHAT_BUBBLE_OUTLINE
    if known is not None and known.kind == "voice":
        return ft.Icons.VOLUME_UP_OUTLINED
    return ft.Icons.FORUM_OUTLINED if known and known.kind == "thread" else ft.Icons.TAG


def _welcome(known: Channel | None) -> str:
    if known is None or known.kind == "direct":
        return tr("This is where it begins")
    if known.kind in {"thread", "voice"}:
        return known.name
    return tr("Welcome to #{channel}", channel=known.name)


def _purpose(known: Channel | None) -> str:
    if known is not None and known.topic:
        return known.topic
    return tr("Nobody has written before this. Say something!")


def _reading() -> ft.Control:
    return ft.Container(
        ft.ProgressRing(width=22, height=22, stroke_width=2, color=theme.FAINT),
        padding=20,
        alignment=ft.Alignment.CENTER,
    )


@ft.component
def JumpPill(pane: Pane) -> ft.Control:
    """Lead back to the present from anywhere else, and tell how much is new there."""
    pane.view.watch(Topic("scroll", pane.channel), Topic("messages", pane.channel))
    leads = pane.timeline.loaded and not pane.at_present
    return hooks.kept().use("pill", Pill, pane, pane.waiting if leads else None)


@ft.component
def Pill(pane: Pane, count: int | None) -> ft.Control:
    """Draw it, if anywhere else; only when something of it changes."""
    if count is None:
        return ft.Container(visible=False)
    words = (
        trn("{n} new message", "{n} new messages", count) if count else tr("Jump to the present")
    )
    pill = ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.ARROW_DOWNWARD, size=16, color=theme.ON_ACCENT),
                kit.text(words, "button", theme.ON_ACCENT),
            ],
            tight=True,
            spacing=8,
        ),
        bgcolor=theme.ACCENT,
        border_radius=18,
        padding=ft.Padding.symmetric(horizontal=14, vertical=7),
        ink=True,
        on_click=pane.go_to_present,
        shadow=ft.BoxShadow(blur_radius=12, color=ft.Colors.with_opacity(0.3, "#000000")),
    )
    return kit.semantics("jump-to-present", pill, words, button=True)
