"""Tell others what one does."""

from collections.abc import Callable

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.set_status import tell
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, cancel, dialog_body, show_dialog
from sidetone.desktop.interface.view import View

_HOUR_MS = 3_600_000


def open_status(view: View, account: Account) -> None:
    """Ask what one does."""
    show_dialog(view, hooks.keyed("status", StatusDialog, view, account))


@ft.component
def StatusDialog(view: View, account: Account) -> ft.Control:
    """Ask for a line, a game, and how long they hold."""
    presence = account.knowledge.presences.get(account.id)
    text = hooks.entry(presence.text if presence is not None else "")
    game = hooks.entry(presence.game if presence is not None else "")
    hours, set_hours = hooks.state(0)
    doing = Doing()

    async def save() -> None:
        await tell(account, text.value, game.value, hours * _HOUR_MS if hours else None)
        view.close()

    async def finish() -> None:
        await doing.run(save)

    return dialog_body(
        "status-dialog",
        tr("What do you do?"),
        [
            kit.field(
                "status-line",
                tr("In a few words"),
                text.value,
                text.set,
                autofocus=True,
                max_length=128,
            ),
            kit.field(
                "status-game", tr("A game"), game.value, game.set, on_submit=finish, max_length=64
            ),
            _spans(hours, set_hours),
            *doing.shown("status-problem"),
        ],
        [cancel(view), kit.button("status-save", tr("Save"), finish, disabled=doing.busy)],
    )


def _spans(hours: int, choose: Callable[[int], None]) -> ft.Control:
    """Return the choice of how long it holds."""
    spans = {0: tr("Until I change it"), 1: tr("For an hour"), 4: tr("For four hours")}
    return ft.RadioGroup(
        ft.Column(
            [
                kit.semantics(
                    f"status-for-{each}",
                    ft.Radio(
                        value=str(each), label=words, label_style=ft.TextStyle(color=theme.TEXT)
                    ),
                    words,
                )
                for each, words in spans.items()
            ],
            spacing=0,
        ),
        value=str(hours),
        on_change=lambda e: choose(int(e.control.value or 0)),
    )
