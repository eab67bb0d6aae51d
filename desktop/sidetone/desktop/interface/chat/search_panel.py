"""Search: words and filters, and what was found, which leads to where it was written."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import flet as ft
import msgspec

from sidetone.client.api_messages import Search
from sidetone.desktop.application.search_messages import search_messages
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.side_panel import empty, found_list, side_panel, waiting
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page

_ANY = "any"


@ft.component
def SearchPanel(pane: Pane) -> ft.Control:
    """Draw the question and its answers."""
    wanted, set_wanted = hooks.state(Search())
    page, set_page = hooks.state(_nothing())
    busy, set_busy = hooks.state(initial=False)

    async def ask(search: Search, cursor: str | None = None) -> None:
        community = pane.community
        if community is None or search == Search():
            set_page(None)
            return
        set_busy(True)
        try:
            found = await search_messages(pane.account, community.server.id, search, cursor)
            before = page.items if page is not None and cursor is not None else []
            set_page(Page([*before, *found.items], found.next))
        finally:
            set_busy(False)

    def change(**parts: object) -> None:
        search = msgspec.structs.replace(wanted, **parts)
        set_wanted(search)
        if "text" not in parts:
            pane.start(ask(search))

    def write(text: str) -> None:
        change(text=text)

    field = kit.field(
        "search-field",
        tr("Search in this server"),
        wanted.text,
        write,
        autofocus=True,
        dense=True,
        prefix_icon=ft.Icons.SEARCH,
        on_submit=lambda: pane.start(ask(wanted)),
    )
    field.expand = True
    question = ft.Container(
        ft.Column([ft.Row([field]), _filters(pane, wanted, change)], spacing=8),
        padding=ft.Padding.only(left=12, right=12, top=12, bottom=8),
    )
    return side_panel(
        pane,
        "search",
        tr("Search"),
        question,
        _answers(pane, page, busy=busy, more=lambda c: pane.start(ask(wanted, c))),
    )


def _nothing() -> Page[Message] | None:
    return None


def _answers(
    pane: Pane, page: Page[Message] | None, *, busy: bool, more: Callable[[str], None]
) -> ft.Control:
    if busy and page is None:
        return waiting()
    if page is None:
        return empty(
            tr("Look for words, or choose who wrote it, where, and what it has."),
            ft.Icons.MANAGE_SEARCH,
        )
    if not page.items:
        return empty(tr("Nothing was found. Try fewer words or filters."), ft.Icons.SEARCH_OFF)
    rows = found_list(pane, page.items, with_channel=True)
    count = len(page.items)
    words = trn("{n} message", "{n} messages", count)
    cursor = page.next
    if cursor is not None:
        words = tr("{n} messages and more", n=count)
        rows.append(kit.button("more-found", tr("More"), lambda: more(cursor), kind="quiet"))
    total = ft.Container(
        kit.semantics("found-count", kit.line(words, "section", theme.FAINT), words),
        padding=ft.Padding.only(left=16, top=4),
    )
    return ft.Column([total, ft.ListView(rows, expand=True)], spacing=0, expand=True)


def _filters(pane: Pane, wanted: Search, change: kit.Handler) -> ft.Control:
    community, knowledge = pane.community, pane.account.knowledge
    people = list(map(UserId, community.members)) if community is not None else []
    called = sorted(
        ((names.name_of(knowledge, user, community), user) for user in people),
        key=lambda each: each[0].casefold(),
    )
    channels = sorted(
        (c for c in (community.visible(pane.account.id) if community is not None else ())
         if c.kind not in {"category", "voice"}),
        key=lambda each: each.position,
    )  # fmt: skip
    who = _choice(
        "search-from",
        tr("From"),
        [(name, user) for name, user in called],
        wanted.author,
        lambda id_: change(author=UserId(id_) if id_ else None),
    )
    where = _choice(
        "search-in",
        tr("In"),
        [(f"#{channel.name}", channel.id) for channel in channels],
        wanted.channel,
        lambda id_: change(channel=ChannelId(id_) if id_ else None),
    )
    traits = [("link", tr("Links")), ("image", tr("Pictures")), ("file", tr("Files"))]
    has = ft.Row(
        [_chip(name, label, wanted, change) for name, label in traits], spacing=6, wrap=True
    )
    times = ft.Row(
        [
            _day(pane, "search-after", tr("After"), wanted.after_ms, "after_ms", change),
            _day(pane, "search-before", tr("Before"), wanted.before_ms, "before_ms", change),
        ],
        spacing=6,
    )
    return ft.Column([ft.Row([who, where], spacing=8), has, times], spacing=8)


def _choice(
    identifier: str,
    label: str,
    options: list[tuple[str, UUID]],
    chosen: UUID | None,
    choose: Callable[[UUID | None], object],
) -> ft.Control:
    def select(event: ft.Event[ft.Dropdown]) -> None:
        value = event.control.value
        choose(UUID(value) if value and value != _ANY else None)

    box = ft.Dropdown(
        label=label,
        value=str(chosen) if chosen is not None else _ANY,
        options=[
            ft.DropdownOption(key=_ANY, text=tr("Any")),
            *(ft.DropdownOption(key=str(id_), text=name) for name, id_ in options),
        ],
        on_select=select,
        dense=True,
        width=168,
        menu_height=320,
        enable_search=True,
        text_size=13,
        color=theme.TEXT,
        filled=True,
        fill_color=theme.WELL,
        border_color=theme.LINE,
        border_radius=theme.RADIUS,
    )
    return kit.semantics(identifier, box, label)


def _chip(name: str, label: str, wanted: Search, change: kit.Handler) -> ft.Control:
    on = name in wanted.has
    chip = ft.Container(
        kit.text(label, "label", theme.ON_ACCENT if on else theme.QUIET),
        bgcolor=theme.ACCENT if on else theme.RAISED,
        border_radius=14,
        padding=ft.Padding.symmetric(horizontal=11, vertical=5),
        ink=True,
        on_click=lambda: change(has=wanted.has ^ {name}),
    )
    return kit.semantics(f"search-has-{name}", chip, label, button=True, selected=on)


def _day(
    pane: Pane, identifier: str, label: str, at_ms: int | None, part: str, change: kit.Handler
) -> ft.Control:
    def picked(event: ft.Event[ft.DatePicker]) -> None:
        value = event.control.value
        if isinstance(value, datetime):
            change(**{part: int(value.timestamp() * 1000)})

    def press() -> None:
        if at_ms is not None:
            change(**{part: None})
        else:
            pane.view.open(ft.DatePicker(on_change=picked))

    words = label
    if at_ms is not None:
        day = datetime.fromtimestamp(at_ms / 1000).astimezone()
        words = f"{label}: {day.date().isoformat()} ✕"
    chip = ft.Container(
        kit.text(words, "label", theme.QUIET),
        bgcolor=theme.RAISED,
        border_radius=14,
        padding=ft.Padding.symmetric(horizontal=11, vertical=5),
        ink=True,
        on_click=press,
    )
    return kit.semantics(identifier, chip, words, button=True)
