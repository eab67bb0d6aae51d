"""What others learn, and what an audience sees."""

import flet as ft

from sidetone.desktop.domain.preferences import Overlay, Privacy
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, slider, toggle
from sidetone.desktop.interface.view import View


@ft.component
def PrivacyPage(view: View) -> ft.Control:
    """Set streamer mode, what is told, and the overlay."""
    view.watch(Topic("preferences"))
    preferences = view.core.preferences.current
    return page(
        tr("Privacy and streaming"),
        _privacy(view, preferences.privacy),
        _overlay(view, preferences.overlay),
    )


def _privacy(view: View, privacy: Privacy) -> ft.Control:
    hides = tr("Hides addresses, invites and codes, and the texts of notifications.")
    fetched = tr("Your server fetched them; the page never learns of you.")
    never = tr("Nothing is ever installed by itself.")
    switches = [
        ("streamer_mode", tr("Streamer mode"), hides, privacy.streamer_mode),
        ("tells_typing", tr("Tell when you type"), "", privacy.tells_typing),
        ("shows_previews", tr("Show previews of links"), fetched, privacy.shows_previews),
        ("looks_for_updates", tr("Look for newer versions"), never, privacy.looks_for_updates),
    ]

    def switch(field: str, name: str, hint: str, value: bool) -> ft.Control:
        def change(on: bool) -> None:
            set_in(view, "privacy", **{field: on})

        return toggle(f"privacy-{field}", name, hint, value, change)

    return group(tr("Privacy"), *(switch(*each) for each in switches))


def _overlay(view: View, overlay: Overlay) -> ft.Control:
    corners = [
        ("top_left", tr("Top left")),
        ("top_right", tr("Top right")),
        ("bottom_left", tr("Bottom left")),
        ("bottom_right", tr("Bottom right")),
    ]
    shown = tr("Show who speaks in a small window")
    hint = tr("A window of its own above others; nothing is put into a game.")

    def change(**changes: object) -> None:
        set_in(view, "overlay", **changes)

    return group(
        tr("Overlay"),
        toggle("overlay-shown", shown, hint, overlay.shown, lambda on: change(shown=on)),
        choice(
            "overlay-corner",
            tr("Corner"),
            "",
            overlay.corner,
            corners,
            lambda to: change(corner=to),
        ),
        slider(
            "overlay-opacity",
            tr("Opacity"),
            overlay.opacity_percent,
            (20, 100),
            "%",
            lambda to: change(opacity_percent=to),
        ),
    )
