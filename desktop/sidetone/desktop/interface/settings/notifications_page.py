"""What is shown outside of the window."""

import flet as ft

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
    loudness = [
        ("all", tr("All messages")),
        ("mentions", tr("Only what calls you")),
        ("nothing", tr("Nothing")),
    ]

    def set_server(server: ServerId, value: str) -> None:
        set_in(view, "notifications", servers={**wishes.servers, server: value})

    servers = [
        choice(
            f"notify-{community.server.name}",
            community.server.name,
            "",
            wishes.servers.get(id_, wishes.servers_at_first),
            loudness,
            lambda value, id_=id_: set_server(id_, value),
        )
        for account in view.core.accounts.values()
        for id_, community in account.knowledge.communities.items()
        if community.server.kind == "community"
    ]
    switches = [
        (
            "do_not_disturb",
            tr("Do not disturb"),
            tr("Nothing is shown and nothing rings."),
            wishes.do_not_disturb,
        ),
        ("direct_messages", tr("Direct messages"), "", wishes.direct_messages),
        ("calls", tr("Calls"), "", wishes.calls),
        ("friend_requests", tr("Friend requests"), "", wishes.friend_requests),
        ("sounds", tr("Sounds"), "", wishes.sounds),
    ]
    return page(
        tr("Notifications"),
        group(
            tr("What is shown"),
            *(
                toggle(
                    f"notify-{field}",
                    name,
                    hint,
                    value,
                    lambda on, field=field: set_in(view, "notifications", **{field: on}),
                )
                for field, name, hint, value in switches
            ),
        ),
        group(
            tr("Servers"),
            choice(
                "notify-servers",
                tr("A new server"),
                "",
                wishes.servers_at_first,
                loudness,
                lambda value: set_in(view, "notifications", servers_at_first=value),
            ),
            *servers,
        ),
    )
