"""What an account without anything is offered: three ways to begin, and a look around."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.servers.add_server import open_found, open_join
from sidetone.desktop.interface.view import View


def is_empty(account: Account) -> bool:
    """Tell whether nothing and nobody is there yet, as far as is known for sure."""
    known = account.knowledge
    return account.ready.is_set() and not known.communities and not known.relationships


@ft.component
def Welcome(view: View, account: Account) -> ft.Control:
    """Offer to found, to join, to find; it is gone as soon as one of them was done."""
    view.watch(Topic("people"), Topic("servers"))
    cards = [
        _card(
            "welcome-found",
            ft.Icons.ADD_HOME_OUTLINED,
            tr("Found a server"),
            tr("A place for your group, with channels to write and to talk in."),
            lambda: open_found(view, account),
        ),
        _card(
            "welcome-join",
            ft.Icons.LINK,
            tr("Join with an invite"),
            tr("Somebody gave you a link or a code: it leads you in."),
            lambda: open_join(view, account, ""),
        ),
        _card(
            "welcome-friend",
            ft.Icons.PERSON_SEARCH,
            tr("Find a friend"),
            tr("Write their name into the field above, and ask."),
            lambda: view.notice(tr("Write the name of a friend into the field above.")),
        ),
    ]
    return kit.semantics(
        "welcome",
        ft.Container(
            ft.Column(
                [
                    kit.text(tr("Nobody is here yet. Begin with one of these:"), "title"),
                    ft.Row(
                        cards,
                        spacing=14,
                        vertical_alignment=ft.CrossAxisAlignment.START,
                        wrap=True,
                    ),
                    ft.Container(height=10),
                    *(_line(icon, words) for icon, words in _tour()),
                ],
                spacing=12,
                scroll=ft.ScrollMode.AUTO,
            ),
            padding=ft.Padding.symmetric(horizontal=28, vertical=24),
            expand=True,
        ),
        tr("Welcome"),
        expand=True,
    )


def _tour() -> list[tuple[ft.IconData, str]]:
    talk = tr("A click on a voice channel, and you talk. Nobody else can listen.")
    return [
        (ft.Icons.SPACE_DASHBOARD_OUTLINED, tr("Left: your home and your servers.")),
        (ft.Icons.VOLUME_UP, talk),
        (ft.Icons.VERIFIED_USER_OUTLINED, tr("Shields say whose keys you have compared.")),
        (ft.Icons.KEYBOARD, tr("Ctrl+K leads anywhere, Ctrl+/ lists the other keys.")),
    ]


def _card(
    identifier: str, icon: ft.IconData, title: str, words: str, on_click: kit.Handler
) -> ft.Control:
    content = ft.Column(
        [
            ft.Icon(icon, color=theme.ACCENT, size=28),
            kit.text(title, "name"),
            kit.text(words, "small", theme.QUIET),
        ],
        spacing=8,
        tight=True,
    )
    body = ft.Container(
        content,
        width=210,
        height=172,
        padding=18,
        border_radius=14,
        bgcolor=theme.RAISED,
        border=ft.Border.all(1, theme.LINE),
        ink=True,
        on_click=on_click,
    )
    return kit.semantics(identifier, body, f"{title}. {words}", button=True)


def _line(icon: ft.IconData, words: str) -> ft.Control:
    return ft.Row(
        [ft.Icon(icon, size=18, color=theme.FAINT), kit.text(words, "small", theme.QUIET)],
        spacing=10,
    )
