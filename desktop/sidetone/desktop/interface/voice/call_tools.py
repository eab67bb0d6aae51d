"""What one can do in a call beside talking: keep noise out, show a screen, play clips, record."""

import flet as ft
import msgspec

from sidetone.credentials.tickets import Perm
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.recording import RecordSheet
from sidetone.desktop.interface.voice.soundboard import SoundboardSheet
from sidetone.desktop.interface.voice.verification import CodeSheet


@ft.component
def CallTools(view: View, account: Account) -> ft.Control:
    """Draw the tools of the call."""
    view.watch(Topic("call"), Topic("preferences"))
    call = view.core.voice.call
    if call is None:
        return ft.Container(visible=False)
    share = call.screen_share
    noise = view.core.preferences.current.voice.suppression != "off"
    tools = [
        _tool(
            "voice-code",
            ft.Icons.VERIFIED_USER_OUTLINED,
            tr("Is the call private?"),
            lambda: view.open(kit.sheet(hooks.apart(CodeSheet, view, account))),
        ),
        _tool(
            "voice-noise",
            ft.Icons.NOISE_CONTROL_OFF if noise else ft.Icons.NOISE_AWARE,
            tr("Let noise through") if noise else tr("Keep noise out"),
            lambda: _switch_noise(view, on=not noise),
            on=noise,
        ),
    ]
    if Perm.VIDEO in call.rights or share is not None:
        tools.append(
            _tool(
                "voice-share",
                ft.Icons.STOP_SCREEN_SHARE if share is not None else ft.Icons.SCREEN_SHARE,
                tr("Stop showing your screen") if share is not None else tr("Show your screen"),
                view.act(share.stop) if share is not None else lambda: _share(view),
                on=share is not None,
            )
        )
    tools += [
        _tool(
            "voice-soundboard",
            ft.Icons.MUSIC_NOTE,
            tr("Soundboard"),
            lambda: view.open(kit.sheet(hooks.apart(SoundboardSheet, view))),
        ),
        _tool(
            "voice-record",
            ft.Icons.FIBER_MANUAL_RECORD,
            tr("Record the call"),
            lambda: view.open(kit.sheet(hooks.apart(RecordSheet, view, account))),
        ),
    ]
    return ft.Row(tools, spacing=0, alignment=ft.MainAxisAlignment.SPACE_BETWEEN)


def _tool(
    identifier: str,
    icon: ft.IconData,
    label: str,
    on_click: kit.Handler,
    *,
    on: bool = False,
) -> ft.Control:
    return kit.icon_button(
        identifier, icon, label, on_click, color=theme.ACCENT if on else theme.QUIET
    )


def _share(view: View) -> None:
    # Not at the top: what takes pictures is loaded when somebody shows something.
    from sidetone.desktop.interface.voice.share import ShareSheet  # noqa: PLC0415

    view.open(kit.sheet(hooks.apart(ShareSheet, view)))


def _switch_noise(view: View, *, on: bool) -> None:
    now = view.core.preferences.current
    voice = msgspec.structs.replace(now.voice, suppression="high" if on else "off")
    view.core.preferences.change(msgspec.structs.replace(now, voice=voice))
