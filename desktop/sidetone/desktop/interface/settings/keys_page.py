"""What keys and mouse buttons do everywhere on the desktop, for all servers or for one."""

from collections.abc import Mapping
from typing import get_args

import flet as ft
import msgspec

from sidetone.desktop.domain import hotkeys
from sidetone.desktop.domain.preferences import Action
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.settings.parts import block, choice, group, page, set_in, setting
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId


@ft.component
def KeysPage(view: View) -> ft.Control:
    """Bind keys: press the button, then the keys or a mouse button; Escape gives up."""
    view.watch(Topic("preferences"), Topic("servers"), Topic("call"))
    profile, set_profile = hooks.state("")
    keys = view.core.preferences.current.keys
    server = ServerId(msgspec.convert(profile, type=ServerId)) if profile else None
    bound = keys.servers.get(server, {}) if server is not None else keys.bindings
    problem = view.core.keys.everywhere.problem
    return page(
        tr("Keys"),
        kit.text(
            tr("They work while a game is in front, as long as you are in a call."),
            "small",
            theme.QUIET,
        ),
        *(
            [kit.semantics("keys-problem", kit.text(problem, "small", theme.WARNING), problem)]
            if problem
            else []
        ),
        block(
            choice(
                "keys-profile",
                tr("For"),
                "",
                profile,
                _profiles(view),
                lambda value: set_profile(value or ""),
            )
        ),
        group(
            tr("Bindings"),
            *(
                hooks.keyed(f"{profile}-{action}", Binding, view, action, server, bound)
                for action in get_args(Action)
            ),
        ),
    )


@ft.component
def Binding(
    view: View, action: Action, server: ServerId | None, bound: Mapping[Action, str]
) -> ft.Control:
    """Show what an action is bound to, and bind it anew."""
    waiting, set_waiting = hooks.state(False)
    kept = bound.get(action, "")
    label = hotkeys.label_of(hotkeys.chord_of(kept)) if kept else tr("Not bound")

    async def capture() -> None:
        set_waiting(True)
        try:
            chord = await view.core.keys.everywhere.capture()
            if chord is None and view.core.keys.everywhere.problem:
                view.notice(view.core.keys.everywhere.problem, bad=True)
            elif chord is not None:
                _bind(view, action, server, hotkeys.text_of(chord))
        finally:
            set_waiting(False)

    buttons = ft.Row(
        [
            kit.button(
                f"bind-{action}",
                tr("Press keys …") if waiting else label,
                view.act(capture),
                kind="quiet",
            ),
            kit.icon_button(
                f"unbind-{action}",
                ft.Icons.CLEAR,
                tr("Unbind"),
                lambda: _bind(view, action, server, ""),
                disabled=not kept,
            ),
        ],
        tight=True,
    )
    return setting(hotkeys.action_name(action), "", buttons)


def _profiles(view: View) -> list[tuple[str, str]]:
    servers = [
        (str(id_), community.server.name)
        for account in view.core.accounts.values()
        for id_, community in account.knowledge.communities.items()
        if community.server.kind == "community"
    ]
    return [("", tr("All servers")), *servers]


def _bind(view: View, action: Action, server: ServerId | None, text: str) -> None:
    """Bind *action* to what *text* says, to nothing where it is empty; a chord means one thing."""
    keys = view.core.preferences.current.keys
    before = keys.servers.get(server, {}) if server is not None else keys.bindings
    after: dict[Action, str] = {each: kept for each, kept in before.items() if each != action}
    if text:
        bound: dict[Action, hotkeys.Chord] = {
            each: hotkeys.chord_of(kept) for each, kept in after.items()
        }
        conflict = hotkeys.taken(bound, action, hotkeys.chord_of(text))
        if conflict:
            view.notice(conflict, bad=True)
            return
        after[action] = text
    if server is None:
        set_in(view, "keys", bindings=after)
    else:
        set_in(view, "keys", servers={**keys.servers, server: after})
