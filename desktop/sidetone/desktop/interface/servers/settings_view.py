"""The settings of one server as a screen: only the parts that our permissions open."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.standing import Standing
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.sections import Section, close, sectioned
from sidetone.desktop.interface.servers.audit_page import AuditPage
from sidetone.desktop.interface.servers.bans_page import BansPage
from sidetone.desktop.interface.servers.emoji_page import EmojiPage
from sidetone.desktop.interface.servers.invites_page import InvitesPage
from sidetone.desktop.interface.servers.members_page import MembersPage
from sidetone.desktop.interface.servers.overview_page import OverviewPage
from sidetone.desktop.interface.servers.owner_page import OwnerPage
from sidetone.desktop.interface.servers.permissions_page import PermissionsPage
from sidetone.desktop.interface.servers.reports_page import ReportsPage
from sidetone.desktop.interface.servers.roles_page import RolesPage
from sidetone.desktop.interface.servers.see_as_page import SeeAsPage
from sidetone.desktop.interface.servers.server_menu import standing_in
from sidetone.desktop.interface.servers.templates_page import TemplatesPage
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId

_PAGE_WIDTH = 820


class _Section(NamedTuple):
    """A part; who holds any of *needs* sees it, none: whoever comes here."""

    name: str
    title: str
    icon: ft.IconData
    needs: Permission
    page: Callable[[View, Account, ServerId], ft.Control]


def _sections() -> list[_Section]:
    p = Permission
    moderating = p.KICK_MEMBERS | p.BAN_MEMBERS | p.MODERATE_MEMBERS | p.MANAGE_NICKNAMES
    return [
        _Section("overview", tr("Overview"), ft.Icons.INFO_OUTLINE, p.MANAGE_SERVER, OverviewPage),
        _Section("roles", tr("Roles"), ft.Icons.SHIELD_OUTLINED, p.MANAGE_ROLES, RolesPage),
        _Section(
            "channels",
            tr("Channel permissions"),
            ft.Icons.LOCK_OUTLINE,
            p.MANAGE_PERMISSIONS,
            PermissionsPage,
        ),
        _Section("see-as", tr("See as role"), ft.Icons.VISIBILITY_OUTLINED, p.NONE, SeeAsPage),
        _Section(
            "members",
            tr("Members"),
            ft.Icons.GROUP_OUTLINED,
            moderating | p.MANAGE_ROLES,
            MembersPage,
        ),
        _Section("invites", tr("Invites"), ft.Icons.LINK, p.MANAGE_SERVER, InvitesPage),
        _Section("emoji", tr("Emoji"), ft.Icons.EMOJI_EMOTIONS_OUTLINED, p.NONE, EmojiPage),
        _Section(
            "reports", tr("Reports"), ft.Icons.FLAG_OUTLINED, p.MODERATE_MEMBERS, ReportsPage
        ),
        _Section("bans", tr("Bans"), ft.Icons.BLOCK, p.BAN_MEMBERS, BansPage),
        _Section("audit", tr("Audit log"), ft.Icons.HISTORY, p.VIEW_AUDIT_LOG, AuditPage),
        _Section(
            "templates", tr("Templates"), ft.Icons.CONTENT_COPY, p.MANAGE_SERVER, TemplatesPage
        ),
    ]


def _open_to(standing: Standing) -> Sequence[_Section]:
    sections = [
        each for each in _sections() if not each.needs or standing.permissions & each.needs
    ]
    if standing.owns:
        title = tr("Owner")
        sections.append(
            _Section("owner", title, ft.Icons.WORKSPACE_PREMIUM, Permission.NONE, OwnerPage)
        )
    return sections


@ft.component
def ServerSettings(view: View) -> ft.Control:
    """Draw the list of parts and the open part."""
    server = view.place.server
    view.watch(Topic("place"), Topic("servers"), Topic("server", server))
    account = view.account
    if account is None or server is None or server not in account.knowledge.communities:
        gone = tr("This server is there no more.")
        back = kit.button("settings-back", tr("Back"), lambda: close(view))
        return ft.Container(ft.Row([kit.text(gone), back]), padding=40, bgcolor=theme.GROUND)
    standing = standing_in(account, server)
    sections = _open_to(standing)
    name, _, _ = view.place.section.partition("/")
    open_ = next((each for each in sections if each.name == name), sections[0])
    return sectioned(
        view,
        standing.community.server.name,
        [Section(each.name, f"section-{each.name}", each.title, each.icon) for each in sections],
        open_.name,
        hooks.keyed(f"{open_.name}-{server}", open_.page, view, account, server),
        _PAGE_WIDTH,
    )
