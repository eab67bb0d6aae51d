"""What each channel allows and denies: to everyone, to roles, to single members."""

from functools import partial
from uuid import UUID

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.channel_order import groups_of
from sidetone.desktop.domain.standing import ranked
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import MemberPicker, choice
from sidetone.desktop.interface.servers.overwrite_editor import OverwriteEditor
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import Channel


@ft.component
def PermissionsPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Choose a channel, then of whom something shall be said."""
    view.watch(Topic("server", server), Topic("place"))
    community = account.knowledge.communities[server]
    subject, set_subject = hooks.state(UUID(int=server.int))
    channels = _listed(account, server)

    def choose(user: UserId) -> None:
        set_subject(user)

    def go(id_: str) -> None:
        view.go(section=f"channels/{id_}")

    if not channels:
        return page(tr("Channel permissions"), kit.text(tr("There are no channels yet.")))
    wanted = view.place.section.partition("/")[2]
    channel = next((each for each in channels if str(each.id) == wanted), channels[0])
    options = [(str(each.id), each.name) for each in channels]
    known: dict[UUID, str] = {role.id: role.name for role in ranked(community)}
    singles = {each.subject for each in channel.overwrites if each.kind == "member"} | {subject}
    for user in map(UserId, singles - set(known)):
        known[user] = names.name_of(account.knowledge, user, community)
    rows = [
        kit.row(
            f"subject-{name}",
            name,
            kit.line(name, "name" if id_ == subject else "body"),
            partial(set_subject, id_),
            chosen=id_ == subject,
            margin=0,
        )
        for id_, name in known.items()
    ]
    label = tr("Find a member")
    picker = hooks.keyed("pick", MemberPicker, view, account, server, label, choose)
    key = f"{channel.id}-{subject}"
    editor = hooks.keyed(key, OverwriteEditor, view, account, channel, subject)
    stretched = ft.CrossAxisAlignment.STRETCH
    subjects = ft.Column([*rows, picker], width=230, spacing=2, horizontal_alignment=stretched)
    return page(
        tr("Channel permissions"),
        choice("overwrite-channel", tr("Channel"), str(channel.id), options, go),
        ft.Row(
            [subjects, ft.Container(editor, expand=True)],
            spacing=24,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        kit.text(tr("A thread is as its channel is."), "small", theme.FAINT),
    )


def _listed(account: Account, server: ServerId) -> list[Channel]:
    groups = groups_of(account.knowledge.communities[server].visible(account.id))
    return [
        each
        for group in groups
        for each in [*([group.category] if group.category else []), *group.channels]
    ]
