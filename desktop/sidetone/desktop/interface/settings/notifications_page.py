"""What is shown outside of the window."""

import flet as ft

from sidetone.desktop.domain.preferences import Notifications
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, toggle
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId


@ft.component
def NotificationsPage(view: View) -> ft.Control:
    """Choose what is worth a notification."""
    view.watch(Topic("preferences"), Topic("servers"))
    wishes = view.core.preferences.current.notifications
    return page(tr("Notifications"), _switches(view, wishes), _servers(view, wishes))


def _switches(view: View, wishes: Notifications) -> ft.Control:
    quiet = tr("Nothing is shown and nothing rings.")
    switches = [
        ("do_not_disturb", tr("Do not disturb"), quiet, wishes.do_not_disturb),
        ("direct_messages", tr("Direct messages"), "", wishes.direct_messages),
        ("calls", tr("Calls"), "", wishes.calls),
        ("friend_requests", tr("Friend requests"), "", wishes.friend_requests),
        ("sounds", tr("Sounds"), "", wishes.sounds),
    ]

    def switch(field: str, name: str, hint: str, value: bool) -> ft.Control:
        def change(on: bool) -> None:
            set_in(view, "notifications", **{field: on})

        return toggle(f"notify-{field}", name, hint, value, change)

    return group(tr("What is shown"), *(switch(*each) for each in switches))


def _servers(view: View, wishes: Notifications) -> ft.Control:
    loudness = [
        ("all", tr("All messages")),
        ("mentions", tr("Only what calls you")),
        ("nothing", tr("Nothing")),
    ]

    def new(to: str) -> None:
        set_in(view, "notifications", servers_at_first=to)

    def one(server: ServerId, name: str) -> ft.Control:
        def change(to: str) -> None:
            set_in(view, "notifications", servers={**wishes.servers, server: to})

        current = wishes.servers.get(server, wishes.servers_at_first)
        return choice(f"notify-{name}", name, "", current, loudness, change)

    return group(
        tr("Servers"),
        choice("notify-servers", tr("A new server"), "", wishes.servers_at_first, loudness, new),
        *(
            one(id_, community.server.name)
            for account in view.core.accounts.values()
            for id_, community in account.knowledge.communities.items()
            if community.server.kind == "community"
        ),
    )
