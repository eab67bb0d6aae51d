"""The first screen: which server machine, who you are, and every way to get in there."""

from typing import Literal, TypeAlias

import flet as ft

from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.follow_link import address_in, arrived
from sidetone.desktop.interface.sign_in_steps import ProviderStepForm, ResetForm
from sidetone.desktop.interface.sign_in_ways import EnterForm
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import ProviderStep

Mode: TypeAlias = Literal["enter", "register", "reset"]
WIDTH = 420
_NO_STEP: ProviderStep | None = None


@ft.component
def SignInView(view: View) -> ft.Control:
    """Ask for what opens the door, and say in words why it stays shut."""
    start: Mode = "enter"
    mode, set_mode = hooks.state(start)
    address, set_address = hooks.state(view.link)
    step, set_step = hooks.state(_NO_STEP)
    if step is not None:
        form = hooks.keyed("step", ProviderStepForm, view, address_in(address), step, set_step)
    elif mode == "reset":
        form = hooks.keyed(
            "reset", ResetForm, view, address_in(address), lambda: set_mode("enter")
        )
    else:
        form = hooks.keyed(
            mode, EnterForm, view, address, set_address, set_step, mode == "register"
        )
    inside = bool(view.core.accounts or view.core.returning)
    others: list[ft.Control] = []
    if step is None and mode != "register":
        others.append(
            kit.button(
                "sign-in-other",
                tr("Create an account"),
                lambda: set_mode("register"),
                kind="quiet",
            )
        )
    if step is None and mode == "register":
        others.append(
            kit.button(
                "sign-in-other", tr("I have an account"), lambda: set_mode("enter"), kind="quiet"
            )
        )
    if step is None and mode == "enter":
        others.append(
            kit.button(
                "sign-in-reset", tr("Forgot password"), lambda: set_mode("reset"), kind="quiet"
            )
        )
    if inside:
        others.append(kit.button("sign-in-back", tr("Back"), lambda: arrived(view), kind="quiet"))
    return card(
        [
            _title(),
            ft.Container(height=2),
            form,
            ft.Row(others, alignment=ft.MainAxisAlignment.CENTER, wrap=True),
        ]
    )


def card(parts: list[ft.Control]) -> ft.Control:
    """Return *parts* in the middle of an empty window."""
    body = ft.Column(
        parts, tight=True, spacing=16, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )
    inner = ft.Container(
        body,
        width=WIDTH,
        padding=36,
        border_radius=18,
        bgcolor=theme.GROUND,
        border=ft.Border.all(1, theme.LINE),
        shadow=ft.BoxShadow(blur_radius=48, color=ft.Colors.with_opacity(0.16, "#000000")),
    )
    return ft.Container(
        ft.Column(
            [inner],
            scroll=ft.ScrollMode.AUTO,
            alignment=ft.MainAxisAlignment.CENTER,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        expand=True,
        alignment=ft.Alignment.CENTER,
        # Light that falls on the page's own ground from two corners.
        gradient=ft.LinearGradient(
            begin=ft.Alignment.TOP_LEFT,
            end=ft.Alignment.BOTTOM_RIGHT,
            colors=[
                ft.Colors.with_opacity(0.16, theme.ACCENT),
                ft.Colors.with_opacity(0, theme.ACCENT),
                ft.Colors.with_opacity(0, theme.GOOD),
                ft.Colors.with_opacity(0.10, theme.GOOD),
            ],
            stops=[0.0, 0.45, 0.6, 1.0],
        ),
        padding=16,
    )


def _title() -> ft.Control:
    logo = ft.Container(
        ft.Icon(ft.Icons.GRAPHIC_EQ, color=theme.ON_ACCENT, size=26),
        bgcolor=theme.ACCENT,
        border_radius=14,
        padding=10,
    )
    words = ft.Column(
        [
            kit.text(tr("Welcome"), "screen"),
            kit.text(tr("Talk with your people, and nobody else."), "small", theme.QUIET),
        ],
        spacing=0,
        tight=True,
        expand=True,
    )
    return ft.Row([logo, words], spacing=14)
