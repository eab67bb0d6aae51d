"""How loud somebody is for us."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId

_PERCENT_MAX = 200
_STEP = 5


@ft.component
def TalkerSheet(view: View, account: Account, user: UserId) -> ft.Control:
    """Draw the volume of one person; it is heard while the slider moves, and kept."""
    view.watch(Topic("user", user))
    volumes = view.core.voice.volumes
    percent = volumes.of(user)
    name = names.name_of(account.knowledge, user)
    words = tr("Silent for you") if percent == 0 else tr("{percent} %", percent=percent)
    slider = ft.Slider(
        value=percent,
        min=0,
        max=_PERCENT_MAX,
        active_color=theme.ACCENT,
        # Divisions of the slider would be drawn as dots.
        on_change=lambda e: volumes.set(user, _STEP * round((e.control.value or 0) / _STEP)),
    )
    return ft.Column(
        [
            kit.text(tr("Volume of {name}", name=name), "title"),
            kit.semantics("talker-volume-slider", slider, tr("Volume of {name}", name=name)),
            ft.Row(
                [
                    kit.semantics("talker-volume-words", kit.text(words, "name"), words),
                    kit.button(
                        "talker-volume-reset",
                        tr("Back to 100 %"),
                        lambda: volumes.set(user, 100),
                        kind="quiet",
                    ),
                ],
                alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
            ),
            kit.text(tr("Only you hear the difference."), "small", theme.QUIET),
        ],
        tight=True,
        spacing=10,
    )
