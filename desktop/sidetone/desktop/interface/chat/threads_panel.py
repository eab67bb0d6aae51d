"""The threads of a channel: those that go on, and those that were put away."""

import flet as ft

from sidetone.desktop.application.threads import archive_thread, list_threads
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.side_panel import empty, side_panel, waiting
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel


@ft.component
def ThreadsPanel(pane: Pane) -> ft.Control:
    """Draw them, newest first."""
    pane.view.watch(pane.home, Topic("unread", pane.home.of))
    archived, set_archived = hooks.state(initial=False)
    page, set_page = hooks.state(_unread())
    generation = pane.community.generation if pane.community is not None else 0

    async def read(cursor: str | None = None) -> None:
        found = await list_threads(pane.account, pane.channel, archived=archived, cursor=cursor)
        before = page.items if page is not None and cursor is not None else []
        set_page(Page([*before, *found.items], found.next))

    ft.use_effect(lambda: pane.start(read()), [archived, generation])

    def choose(*, put_away: bool) -> None:
        set_page(None)
        set_archived(put_away)

    tabs = ft.Container(
        ft.Row(
            [
                _tab("open", tr("Open"), lambda: choose(put_away=False), chosen=not archived),
                _tab("archived", tr("Put away"), lambda: choose(put_away=True), chosen=archived),
            ],
            spacing=6,
        ),
        padding=ft.Padding.only(left=12, right=12, top=10, bottom=4),
    )
    if page is None:
        content = waiting()
    elif not page.items:
        words = (
            tr("No thread was put away here.")
            if archived
            else tr("No threads yet. Begin one from the menu of a message.")
        )
        content = empty(words, ft.Icons.FORUM_OUTLINED)
    else:
        rows = [_thread(pane, each, archived=archived) for each in page.items]
        cursor = page.next
        if cursor is not None:
            rows.append(
                kit.button(
                    "more-threads", tr("More"), lambda: pane.start(read(cursor)), kind="quiet"
                )
            )
        content = ft.ListView(rows, expand=True, spacing=2)
    return side_panel(pane, "threads", tr("Threads"), tabs, content)


def _unread() -> Page[Channel] | None:
    return None


def _tab(name: str, label: str, choose: kit.Handler, *, chosen: bool) -> ft.Control:
    words = kit.text(label, "button", theme.TEXT if chosen else theme.QUIET)
    return kit.row(f"threads-{name}", label, words, choose, chosen=chosen, margin=0)


def _thread(pane: Pane, thread: Channel, *, archived: bool) -> ft.Control:
    id_ = ChannelId(thread.id)
    read = pane.account.knowledge.reads.get(id_)
    unread = read.unread if read is not None else 0
    content = ft.Row(
        [
            ft.Icon(ft.Icons.FORUM_OUTLINED, size=18, color=theme.FAINT),
            kit.line(thread.name, "name" if unread else "body", expand=True),
            *([kit.badge(read.mentions)] if read is not None and read.mentions else []),
        ],
        spacing=10,
    )
    row = kit.row(
        f"open-thread-{thread.name}", thread.name, content, lambda: pane.view.go(thread=id_)
    )
    if not archived or not _may_reopen(pane, thread):
        return row
    row.expand = True
    again = kit.icon_button(
        f"reopen-thread-{thread.name}",
        ft.Icons.UNARCHIVE_OUTLINED,
        tr("Open the thread {name} again", name=thread.name),
        pane.view.act(_reopen, pane, id_),
    )
    return ft.Row([row, again], spacing=0)


def _may_reopen(pane: Pane, thread: Channel) -> bool:
    return thread.creator == pane.account.id or pane.may(Permission.MANAGE_THREADS)


async def _reopen(pane: Pane, thread: ChannelId) -> None:
    await archive_thread(pane.account, thread, archived=False)
    pane.view.go(thread=thread)
