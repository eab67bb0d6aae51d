"""Somebody calls: the sheet that asks, and the button that calls others."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.ring import (
    accept_call,
    call_channel,
    decline_call,
    incoming_calls,
    is_outgoing,
)
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.view import View
from sidetone.protocol.calls import Call
from sidetone.protocol.ids import ChannelId


@ft.component
def IncomingCalls(view: View) -> ft.Control:
    """Draw who calls any of our accounts, above everything else."""
    view.watch(Topic("calls"), Topic("accounts"))
    ringing = incoming_calls(view.core.accounts.values())
    return ft.Container(
        ft.Column(
            [
                hooks.keyed(f"call-{call.id}", IncomingCall, view, account, call)
                for account, call in ringing
            ],
            tight=True,
            spacing=10,
        ),
        visible=bool(ringing),
        top=16,
        right=16,
    )


@ft.component
def IncomingCall(view: View, account: Account, call: Call) -> ft.Control:
    """Draw one call that rings."""
    view.watch(Topic("user", call.caller), Topic("call"))
    account.want_names(call.caller)
    name = names.name_of(account.knowledge, call.caller)
    busy = view.core.voice.phase != "none"
    words = tr("{name} calls", name=name)
    lines: list[ft.Control] = [
        kit.line(name, "heading"),
        kit.line(tr("Incoming call"), "small", theme.QUIET),
    ]
    if busy:
        lines.append(kit.text(tr("Taking it ends your present call."), "small", theme.WARNING))
    return kit.semantics(
        "incoming-call",
        ft.Container(
            ft.Column(
                [
                    ft.Row(
                        [
                            UserFace(view, account, call.caller, 22, None),
                            ft.Column(lines, spacing=0, expand=True),
                        ],
                        spacing=12,
                    ),
                    _answers(view, account, call),
                ],
                tight=True,
                spacing=14,
            ),
            width=320,
            padding=16,
            border_radius=16,
            bgcolor=theme.RAISED,
            border=ft.Border.all(1, theme.LINE),
            shadow=ft.BoxShadow(blur_radius=32, color=ft.Colors.with_opacity(0.5, "#000000")),
        ),
        words,
        live_region=True,
    )


def _answers(view: View, account: Account, call: Call) -> ft.Control:
    decline = kit.button(
        "call-decline", tr("Decline"), view.act(decline_call, account, call), kind="danger"
    )
    accept = kit.button(
        "call-accept", tr("Accept"), view.act(accept_call, view.core.voice, account, call)
    )
    return ft.Row([decline, accept], alignment=ft.MainAxisAlignment.END)


@ft.component
def CallButton(view: View, account: Account, channel: ChannelId) -> ft.Control:
    """Draw the button of a conversation's header that calls the others, or joins their call."""
    view.watch(Topic("calls"), Topic("call"))
    voice = view.core.voice
    call = account.knowledge.calls.get(channel)
    if voice.is_in(channel):
        waits = call is not None and is_outgoing(account, call)
        words = tr("Ringing …") if waits else tr("You are in this call")
        return kit.semantics("call-state", kit.text(words, "small", theme.GOOD), words)
    label = tr("Join the call") if call is not None else tr("Call")
    return kit.icon_button(
        "call-start",
        ft.Icons.CALL,
        label,
        view.act(call_channel, voice, account, channel),
        color=theme.GOOD if call is not None else theme.QUIET,
    )
