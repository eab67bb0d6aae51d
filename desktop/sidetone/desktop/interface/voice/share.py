"""Choose what to show to the call, and how fine."""

import flet as ft

from sidetone.desktop.application.show_screen import list_shown, show_screen
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice import parts
from sidetone.protocol.refusals import Refusal
from sidetone.video.capture import Monitor, Screen, TestCard
from sidetone.video.quality import QUALITIES


@ft.component
def ShareSheet(view: View) -> ft.Control:
    """Draw the monitors and windows of this machine; a click shows one."""
    screens, set_screens = hooks.state(list[Screen]())
    problem, set_problem = hooks.state("")
    quality, set_quality = hooks.state(next(iter(QUALITIES)))

    async def look() -> None:
        try:
            set_screens(await list_shown())
        except Refusal as refusal:
            set_problem(kit.sentence(refusal.detail))

    async def show(screen: Screen) -> None:
        view.close()
        await show_screen(view.core.voice, screen.subject, quality)

    ft.use_effect(look, [])
    card = Screen(TestCard(), tr("Test picture"), TestCard().size)
    return ft.Column(
        [
            kit.text(tr("Show your screen"), "title"),
            kit.text(
                tr("Who is in the call sees it when they want to, and nobody else does."),
                color=theme.QUIET,
            ),
            _qualities(quality, set_quality),
            *([kit.text(problem, "small", theme.WARNING)] if problem else []),
            parts.listing(
                [
                    _screen(number, each, _shower(view, show, each))
                    for number, each in enumerate([*screens, card])
                ]
            ),
        ],
        tight=True,
        spacing=10,
    )


def _shower(view: View, show: kit.Handler, screen: Screen) -> kit.Handler:
    return lambda: view.start(show(screen))


def _qualities(chosen: str, choose: kit.Handler) -> ft.Control:
    buttons = ft.SegmentedButton(
        selected=[chosen],
        show_selected_icon=False,
        style=ft.ButtonStyle(bgcolor={ft.ControlState.SELECTED: theme.CHOSEN}, color=theme.TEXT),
        segments=[
            ft.Segment(value=name, label=kit.text(_quality(name), "label")) for name in QUALITIES
        ],
        on_change=lambda e: choose(next(iter(e.control.selected))),
    )
    return kit.semantics("share-quality", buttons, tr("Quality"))


def _quality(name: str) -> str:
    of = QUALITIES[name]
    return tr("{lines}p, {rate} a second", lines=of.size_max.height, rate=of.frames_per_second)


def _screen(number: int, screen: Screen, on_click: kit.Handler) -> ft.Control:
    subject = screen.subject
    if isinstance(subject, Monitor):
        icon, title = ft.Icons.MONITOR, tr("Screen {n}", n=subject.number)
    elif isinstance(subject, TestCard):
        icon, title = ft.Icons.GRID_VIEW, screen.title
    else:
        icon, title = ft.Icons.WEB_ASSET, screen.title
    size = f"{screen.size.width} × {screen.size.height}"
    content = ft.Row(
        [
            ft.Icon(icon, color=theme.QUIET),
            kit.line(title, expand=True),
            kit.text(size, "small", theme.FAINT),
        ],
        spacing=10,
    )
    return kit.row(f"share-{number}", tr("Show {title}", title=title), content, on_click)
