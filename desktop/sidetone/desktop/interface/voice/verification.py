"""Who really is in the call: codes to compare by another way than this one.

A safety number stands in the dialog that led to it, and leads back there: never two above another.
"""

from collections.abc import Callable

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.voice import grouped, shield_words
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice import parts
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal


@ft.component
def CodeSheet(view: View, account: Account) -> ft.Control:
    """Draw the code of the call, and everybody whose safety number can be compared."""
    view.watch(Topic("call"))
    with_, compare = hooks.state(_nobody())
    voice = view.core.voice
    code = voice.call.code if voice.call is not None else None
    if code is None:
        return kit.text(tr("There is no call any more."), color=theme.QUIET)
    account.want_names(*voice.roster)
    if with_ is not None and with_ in voice.roster:
        return _number(view, account, with_, lambda: compare(None))
    return ft.Column(
        [
            kit.text(tr("Is the call private?"), "title"),
            kit.text(
                tr(
                    "Read these digits to each other: if all have the same, nobody listens in, "
                    "not even the server. They change whenever somebody comes or goes."
                ),
                color=theme.QUIET,
            ),
            _digits("call-code", code),
            parts.listing(
                [
                    hooks.keyed(f"person-{user}", _Person, view, account, user, compare)
                    for user in voice.roster
                ]
            ),
            kit.text(
                tr(
                    "To know for all calls to come, compare the safety number of each person once."
                ),
                "small",
                theme.QUIET,
            )
            if voice.roster
            else kit.text(tr("Nobody else is here yet."), "small", theme.QUIET),
        ],
        tight=True,
        spacing=14,
    )


def _nobody() -> UserId | None:
    return None


def _number(view: View, account: Account, user: UserId, back: Callable[[], None]) -> ft.Control:
    return hooks.keyed(f"number-{user}", SafetySheet, view, account, user, back)


@ft.component
def _Person(
    view: View, account: Account, user: UserId, compare: Callable[[UserId], None]
) -> ft.Control:
    view.watch(Topic("user", user))
    shield = view.core.voice.shield(user)
    name = names.name_of(account.knowledge, user)
    lines: list[ft.Control] = [kit.line(name, "name")]
    if shield is not None:
        lines.append(kit.line(shield_words(shield), "small", theme.QUIET))
    content = ft.Row(
        [
            UserFace(view, account, user, 14, None),
            ft.Column(lines, spacing=0, expand=True),
            ft.Icon(ft.Icons.CHEVRON_RIGHT, color=theme.FAINT),
        ],
        spacing=10,
    )
    return kit.row(
        f"code-person-{name}",
        tr("Compare numbers with {name}", name=name),
        content,
        lambda: compare(user),
    )


@ft.component
def SafetySheet(
    view: View, account: Account, user: UserId, back: Callable[[], None]
) -> ft.Control:
    """Draw the number that we and *user* share, and let it be confirmed; *back* follows both."""
    view.watch(Topic("call"), Topic("user", user))
    voice = view.core.voice
    name = names.name_of(account.knowledge, user)
    shield = voice.shield(user)
    try:
        number = voice.joined.safety_number(user)
    except Refusal:
        return kit.text(tr("{name} is not in the call any more.", name=name), color=theme.QUIET)

    def verify() -> None:
        voice.verify(user)
        back()

    return ft.Column(
        [
            kit.text(tr("Safety number with {name}", name=name), "title"),
            kit.text(
                tr(
                    "Compare these digits with {name} where you know that it is them: face to "
                    "face, or by telephone. If they are equal, nobody stands between you.",
                    name=name,
                ),
                color=theme.QUIET,
            ),
            _digits("safety-number", number),
            *([kit.text(shield_words(shield), "small", theme.QUIET)] if shield else []),
            ft.Row(
                [
                    kit.button("safety-close", tr("Not now"), back, kind="quiet"),
                    kit.button("safety-match", tr("They match"), verify),
                ],
                alignment=ft.MainAxisAlignment.END,
            ),
        ],
        tight=True,
        spacing=14,
    )


@ft.component
def ChangedKeySheet(view: View, account: Account, user: UserId) -> ft.Control:
    """Ask whether the changed key of *user* is theirs; nothing is sent before."""
    view.watch(Topic("call"), Topic("user", user))
    comparing, compare = hooks.state(False)
    voice = view.core.voice
    name = names.name_of(account.knowledge, user)
    if voice.shield(user) != "changed":
        return _accepted(view, name)
    if comparing:
        return _number(view, account, user, lambda: compare(False))

    def accept() -> None:
        voice.confirm(user)
        view.close()

    return ft.Column(
        [
            ft.Row(
                [
                    ft.Icon(ft.Icons.GPP_MAYBE, color=theme.BAD),
                    kit.text(tr("{name} has another key than before", name=name), "title"),
                ],
                spacing=10,
            ),
            kit.text(
                tr(
                    "Mostly this means that {name} set up Sidetone anew. It can also mean that "
                    "somebody else uses their account. Your microphone stays off until you "
                    "decide: ask {name} by another way, and compare the safety number.",
                    name=name,
                ),
                color=theme.QUIET,
            ),
            _decisions(view, name, lambda: compare(True), accept),
        ],
        tight=True,
        spacing=14,
    )


def _accepted(view: View, name: str) -> ft.Control:
    close = kit.button("dialog-close", tr("Close"), view.close)
    return ft.Column(
        [
            kit.text(tr("The key of {name} is accepted.", name=name)),
            ft.Row([close], alignment=ft.MainAxisAlignment.END),
        ],
        tight=True,
        spacing=14,
    )


def _decisions(view: View, name: str, compare: kit.Handler, accept: kit.Handler) -> ft.Control:
    return ft.Row(
        [
            kit.button("changed-key-compare", tr("Compare numbers"), compare, kind="quiet"),
            kit.button("changed-key-leave", tr("Leave the call"), _leave(view), kind="quiet"),
            kit.button("changed-key-accept", tr("It is {name}", name=name), accept),
        ],
        alignment=ft.MainAxisAlignment.END,
        wrap=True,
    )


def _leave(view: View) -> kit.Handler:
    def leave() -> None:
        view.close()
        view.start(view.core.voice.leave())

    return leave


def _digits(identifier: str, digits: str) -> ft.Control:
    rows = grouped(digits)
    return kit.semantics(
        identifier,
        ft.Container(
            ft.Column(
                [
                    ft.Text(
                        row,
                        size=22,
                        color=theme.TEXT,
                        selectable=True,
                        font_family=theme.MONO,
                        weight=ft.FontWeight.W_600,
                    )
                    for row in rows
                ],
                spacing=4,
                horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            ),
            bgcolor=theme.WELL,
            border_radius=theme.RADIUS,
            padding=14,
            alignment=ft.Alignment.CENTER,
        ),
        " ".join(rows),
    )
