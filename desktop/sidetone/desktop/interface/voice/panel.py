"""The call one is in, at the bottom left of every screen: how it fares, what one does in it."""

import flet as ft

from sidetone.client.events import SharedScreen
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.ring import hang_up
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.voice import Figures, Quality, phase_words, quality, quality_words
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.call_tools import CallTools
from sidetone.desktop.interface.voice.meter import Meter
from sidetone.desktop.interface.voice.numbers import NumbersSheet
from sidetone.desktop.interface.voice.recording import RecordingLine
from sidetone.desktop.interface.voice.user_area import UserArea
from sidetone.desktop.interface.voice.verification import ChangedKeySheet
from sidetone.protocol.ids import UserId

COLORS: dict[Quality, ft.Colors] = {
    "unknown": theme.QUIET,
    "excellent": theme.GOOD,
    "good": theme.GOOD,
    "delayed": theme.WARNING,
    "choppy": theme.BAD,
}


@ft.component
def VoicePanel(view: View) -> ft.Control:
    """Draw the call, if there is one, and who one is."""
    view.watch(Topic("call"), Topic("place"))
    voice = view.core.voice
    parts: list[ft.Control] = []
    if voice.phase != "none" and voice.account is not None:
        parts = [
            ft.Container(
                ft.Column(_call(view, voice.account), tight=True, spacing=8),
                bgcolor=theme.SIDE,
                border=ft.Border.all(1, theme.LINE),
                border_radius=12,
                padding=10,
            )
        ]
    elif voice.problem:
        parts = [_problem(view)]
    return ft.Container(
        ft.Column([*parts, UserArea(view)], tight=True, spacing=8),
        bgcolor=theme.RAIL,
        padding=10,
    )


def _call(view: View, account: Account) -> list[ft.Control]:
    voice = view.core.voice
    parts: list[ft.Control] = [hooks.keyed("link", LinkLine, view, account)]
    if voice.phase == "preparing":
        parts.append(ft.ProgressBar(value=voice.prepared or None, bar_height=4))
    parts += [
        _note(kit.sentence(each), f"sound-problem-{n}")
        for n, each in enumerate(voice.sound_problems)
    ]
    if voice.silenced:
        parts.append(_note(tr("You may only listen here."), "voice-silenced"))
    if voice.deafened_by_server:
        parts.append(_note(tr("A moderator lets you hear nothing."), "voice-deafened"))
    parts += [
        _shown(view, account, screen) for screen in (voice.call.screens if voice.call else ())
    ]
    parts += [_held(view, account, user) for user in voice.changed_keys[:1]]
    if voice.call is not None:
        parts += [
            hooks.keyed("recording", RecordingLine, view, account),
            ft.Row(
                [
                    ft.Icon(
                        ft.Icons.MIC_OFF if voice.muted or voice.deafened else ft.Icons.MIC,
                        size=15,
                        color=theme.FAINT,
                    ),
                    ft.Container(hooks.keyed("meter", Meter, view), expand=True),
                ],
                spacing=8,
            ),
            hooks.keyed("tools", CallTools, view, account),
        ]
    return parts


@ft.component
def LinkLine(view: View, account: Account) -> ft.Control:
    """Draw how the connection fares, in words; the numbers are behind it."""
    view.watch(Topic("call"), Topic("link"))
    voice = view.core.voice
    figures = voice.figures
    known = account.knowledge.channel(voice.channel) if voice.channel is not None else None
    if voice.phase == "live":
        color, words = COLORS[quality(figures)], quality_words(figures)
    else:
        color, words = theme.WARNING, phase_words(voice.phase)
    where = known.name if known is not None and known.name else tr("Private call")
    state = f"{phase_words(voice.phase)} · {words}" if voice.phase == "live" else words
    status = ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.SIGNAL_CELLULAR_ALT, size=18, color=color),
                ft.Column(
                    [
                        kit.text(words, "label", color, max_lines=2),
                        kit.line(where, "small", theme.QUIET),
                    ],
                    spacing=0,
                    expand=True,
                ),
            ],
            spacing=8,
        ),
        on_click=lambda: view.open(kit.sheet(hooks.apart(NumbersSheet, view, account), width=520)),
        tooltip=_hover(figures),
        ink=True,
        border_radius=8,
        expand=True,
    )
    label = tr("{state} in {channel}: show the numbers", state=state, channel=where)
    link = kit.semantics("voice-state", status, label, button=True)
    link.expand = True
    leave = kit.icon_button(
        "voice-leave",
        ft.Icons.CALL_END,
        tr("Leave the call"),
        view.act(hang_up, voice),
        color=theme.BAD,
    )
    return ft.Row([link, leave], spacing=4)


def _hover(figures: Figures | None) -> str | None:
    if figures is None or figures.rtt_ms is None:
        return None
    return tr(
        "{rtt} ms there and back, {lost} % lost, {jitter} ms jitter",
        rtt=round(figures.rtt_ms),
        lost=f"{figures.lost_percent:.1f}",
        jitter=round(figures.jitter_ms),
    )


def _shown(view: View, account: Account, screen: SharedScreen) -> ft.Control:
    """Say who shows a screen, wherever one is: a click goes there and looks."""
    voice = view.core.voice
    name = names.name_of(account.knowledge, screen.user)
    words = tr("{name} shows a screen", name=name)

    def look() -> None:
        home = account.knowledge.home_of(voice.channel) if voice.channel is not None else None
        community = home is not None and home.server.kind == "community"
        view.go(
            screen="server" if community else "friends",
            account=account.id,
            server=home.server.id if home is not None and community else None,
            watching=screen.user,
        )
        if voice.channel is not None:
            view.open_channel(account, voice.channel)

    place = view.place
    watched = place.watching == screen.user and place.channel == voice.channel
    row = ft.Row(
        [
            ft.Icon(ft.Icons.SCREEN_SHARE, size=16, color=theme.ACCENT),
            kit.line(words, "small", expand=True),
            *([] if watched else [kit.text(tr("Watch"), "label", theme.ACCENT)]),
        ],
        spacing=6,
    )
    body = ft.Container(row, padding=4, border_radius=8, ink=True, on_click=look)
    return kit.semantics(f"screen-of-{name}", body, words, button=True)


def _held(view: View, account: Account, user: UserId) -> ft.Control:
    return kit.button(
        "changed-key",
        tr("Microphone held: a key changed"),
        lambda: view.open(kit.sheet(hooks.apart(ChangedKeySheet, view, account, user))),
        kind="danger",
    )


def _note(words: str, identifier: str) -> ft.Control:
    return kit.semantics(
        identifier, kit.text(words, "small", theme.WARNING, max_lines=3), words, live_region=True
    )


def _problem(view: View) -> ft.Control:
    """Say why the call is over, until it is read."""
    voice = view.core.voice
    why = kit.sentence(voice.problem)
    words = kit.text(why, "small", theme.BAD, max_lines=4, expand=True)
    return kit.semantics(
        "voice-problem",
        ft.Row(
            [
                words,
                kit.icon_button(
                    "voice-problem-close", ft.Icons.CLOSE, tr("Close"), view.act(voice.leave)
                ),
            ],
            spacing=4,
        ),
        why,
        live_region=True,
    )
