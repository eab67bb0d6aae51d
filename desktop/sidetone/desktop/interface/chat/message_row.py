"""One message: who wrote it and when, what it says, and what one can do with it."""

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.rows import Row, time_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.attachments import Attachments
from sidetone.desktop.interface.chat.edit_field import EditField
from sidetone.desktop.interface.chat.link_previews import LinkPreviews
from sidetone.desktop.interface.chat.message_menu import Toolbar, open_menu
from sidetone.desktop.interface.chat.notices import Notice
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.quoted import Quoted
from sidetone.desktop.interface.chat.reactions import Reactions
from sidetone.desktop.interface.chat.thread_link import ThreadLink
from sidetone.desktop.interface.chat.written import Written, plain
from sidetone.protocol.messages import Message

GUTTER = 36
_EDGE, _LEFT, _GAP, _TOP = 3, 15, 14, 2
_HEAD_INSET = ft.Padding.only(left=_LEFT, right=24, top=8, bottom=2)
# What stands under the name of another message has no column of its own for the face.
_INSET = ft.Padding.only(left=_LEFT + GUTTER + _GAP, right=24, top=_TOP, bottom=2)


@ft.component
def MessageRow(pane: Pane, row: Row) -> ft.Control:
    """Draw a message with the lines above it; its tools while the mouse is on it."""
    hovered, set_hovered = hooks.state(initial=False)
    message = row.message
    body = ft.Container(
        hooks.keyed("body", _Body, pane, row),
        bgcolor=_ground(pane, row, hovered=hovered),
        border=_edge(pane, row),
        padding=_HEAD_INSET if row.head else _INSET,
        alignment=ft.Alignment.CENTER_LEFT,
    )
    # What has a key to scroll to is made anew whenever something around it is drawn anew: it is a
    # part with nothing in it, or who edits the message would lose the focus.
    place = ft.Container(key=ft.ScrollKey(str(message.id)), left=0, right=0, top=0, bottom=0)
    layers: list[ft.Control] = [place, body]
    if hovered and not row.head:
        layers.append(_gutter_time(message))
    if hovered and not row.editing:
        bar = hooks.keyed("tools", Toolbar, pane, message)
        layers.append(ft.Container(bar, right=20, top=-14))
    shell = ft.GestureDetector(
        ft.Stack(layers, clip_behavior=ft.ClipBehavior.NONE),
        on_enter=lambda: set_hovered(True),
        on_exit=lambda: set_hovered(False),
        on_secondary_tap_up=lambda e: open_menu(pane, message, e.global_position),
        on_long_press_start=lambda e: open_menu(pane, message, e.global_position),
        hover_interval=50,
    )
    spoken = kit.semantics(f"message-{message.id}", shell, _spoken(pane, message))
    if not (row.day or row.new):
        return spoken
    return ft.Column([_line(message, day=row.day, new=row.new), spoken], spacing=0)


def _gutter_time(message: Message) -> ft.Control:
    """Return when a message was written that stands under the name of another one."""
    time = kit.text(times.clock(time_of(message.id)), "section", theme.FAINT)
    return ft.Container(
        time, left=_EDGE + _LEFT, top=_TOP, width=GUTTER, alignment=ft.Alignment.CENTER
    )


def _spoken(pane: Pane, message: Message) -> str | None:
    """Return what a screen reader says of a message; what is no text says it by itself."""
    if message.kind != "text":
        return None
    files = [file.name for file in message.attachments]
    words = " ".join([plain(pane.account, pane.community, message.text), *files])
    return tr(
        "{name}, {time}: {words}",
        name=names.name_of(pane.account.knowledge, message.author, pane.community),
        time=times.moment(time_of(message.id)),
        words=words,
    )


def _ground(pane: Pane, row: Row, *, hovered: bool) -> str | None:
    if row.found:
        return theme.CHOSEN
    if _calls_me(pane, row.message):
        return theme.MENTION
    return ft.Colors.with_opacity(0.5, theme.SIDE) if hovered else None


def _edge(pane: Pane, row: Row) -> ft.Border:
    if row.found:
        return _edged(theme.ACCENT)
    return _edged(theme.WARNING) if _calls_me(pane, row.message) else _UNEDGED


def _edged(color: ft.ColorValue) -> ft.Border:
    return ft.Border.only(left=ft.BorderSide(_EDGE, color))


_UNEDGED = _edged(ft.Colors.TRANSPARENT)


def _calls_me(pane: Pane, message: Message) -> bool:
    me = pane.account.id
    if message.author == me:
        return False
    if message.mentions_everyone or me in message.mentions:
        return True
    member = pane.community.members.get(me) if pane.community is not None else None
    return member is not None and not set(member.roles).isdisjoint(message.mentioned_roles)


def _line(message: Message, *, day: bool, new: bool) -> ft.Control:
    """Return the line between two days, above what is new, or both in one."""
    color = theme.BAD if new else theme.LINE
    rule = ft.Container(height=1, bgcolor=color, expand=True)
    words: list[ft.Control] = [rule]
    if day:
        date = times.long_date(time_of(message.id))
        words += [kit.text(date, "label", theme.BAD if new else theme.FAINT)]
        words.append(ft.Container(height=1, bgcolor=color, expand=True))
    if new:
        label = kit.text(tr("New"), "section", theme.ON_BAD)
        words.append(
            ft.Container(
                label,
                bgcolor=theme.BAD,
                border_radius=6,
                padding=ft.Padding.symmetric(horizontal=7, vertical=1),
            )
        )
    line = ft.Container(
        ft.Row(words, spacing=10),
        padding=ft.Padding.only(left=18, right=18, top=12, bottom=4),
    )
    return kit.semantics("new-line", line, tr("New messages")) if new else line


@ft.component
def MessageBody(pane: Pane, row: Row) -> ft.Control:
    """Draw what a message says; only when it changed."""
    message = row.message
    pane.view.watch(Topic("user", message.author), Topic("theme"))
    if message.kind != "text":
        return Notice(pane, message)
    community = pane.community
    at_ms = time_of(message.id)
    parts: list[ft.Control] = []
    if row.head:
        parts.append(_head(pane, message, at_ms))
    if row.editing:
        parts.append(hooks.keyed("edit", EditField, pane, message))
    elif message.text:
        edited = message.edited_at_ms is not None
        key = f"text-{message.edited_at_ms}"
        parts.append(
            hooks.keyed(
                key, Written, pane.view, pane.account, community, message.text, edited=edited
            )
        )
    parts += _below(pane, message)
    if not row.head:
        # A field that one writes in stays where it is when a reaction comes under it.
        alone = len(parts) == 1 and not row.editing
        return parts[0] if alone else ft.Column(parts, spacing=3)
    inner = ft.Row(
        [hooks.keyed("face", Face, pane, message), ft.Column(parts, spacing=3, expand=True)],
        spacing=_GAP,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    if message.reply_to is None:
        return inner
    quoted = hooks.keyed("quoted", Quoted, pane, message.reply_to)
    return ft.Column([quoted, inner], spacing=2)


_Body = hooks.memo(MessageBody)


def _below(pane: Pane, message: Message) -> list[ft.Control]:
    parts: list[ft.Control] = []
    if message.attachments:
        parts.append(hooks.keyed("files", Attachments, pane, tuple(message.attachments)))
    if message.previews:
        parts.append(hooks.keyed("previews", LinkPreviews, pane, tuple(message.previews)))
    if message.reactions:
        parts.append(hooks.keyed("reactions", Reactions, pane, message))
    if message.thread is not None:
        parts.append(hooks.keyed("thread", ThreadLink, pane, message.thread))
    return parts


def _head(pane: Pane, message: Message, at_ms: int) -> ft.Control:
    name = names.author_of(pane.account.knowledge, message, pane.community)
    color = pane.view.name_color(pane.community, message.author)
    row: list[ft.Control] = [
        kit.line(name, "name", color),
        kit.text(times.moment(at_ms), "section", theme.FAINT),
    ]
    if message.pinned:
        row.append(ft.Icon(ft.Icons.PUSH_PIN, size=13, color=theme.FAINT, tooltip=tr("Pinned")))
    return ft.Row(row, spacing=8)


@ft.component
def Face(pane: Pane, message: Message) -> ft.Control:
    """Draw the picture of the author."""
    knowledge = pane.account.knowledge
    user = knowledge.users.get(message.author)
    picture = user.avatar if user is not None else None
    pane.view.watch(Topic("user", message.author), Topic("file", picture))
    content = pane.account.pictures.get(picture) if picture is not None else None
    name = names.author_of(knowledge, message, pane.community)
    color = names.avatar_color(message.author)
    return kit.avatar(names.initials(name), color, GUTTER / 2, picture=content)
