"""How it looks, and in which language: all of it changes at once."""

import flet as ft

from sidetone.desktop.domain.preferences import Appearance
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import LANGUAGES, NATIVE_NAMES, tr
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, slider, toggle
from sidetone.desktop.interface.view import View


@ft.component
def AppearancePage(view: View) -> ft.Control:
    """Choose theme, size of letters, motion and language."""
    view.watch(Topic("preferences"))
    preferences = view.core.preferences.current
    return page(
        tr("Appearance and language"),
        _looks(view, preferences.appearance),
        _languages(view, preferences.language),
    )


def _looks(view: View, looks: Appearance) -> ft.Control:
    themes = [
        ("system", tr("As the system")),
        ("dark", tr("Dark")),
        ("light", tr("Light")),
        ("high_contrast", tr("High contrast")),
    ]
    name, hint = tr("Less motion"), tr("Leaves out what moves without need.")
    size = tr("Size of letters")

    def change(**changes: object) -> None:
        set_in(view, "appearance", **changes)

    return group(
        tr("Looks"),
        choice("set-theme", tr("Theme"), "", looks.theme, themes, lambda to: change(theme=to)),
        slider(
            "set-font",
            size,
            looks.font_percent,
            (80, 160),
            "%",
            lambda to: change(font_percent=to),
        ),
        toggle(
            "set-motion", name, hint, looks.reduced_motion, lambda on: change(reduced_motion=on)
        ),
    )


def _languages(view: View, chosen: str) -> ft.Control:
    names = [(each, NATIVE_NAMES[each]) for each in LANGUAGES]
    options = [("system", tr("As the system")), *names]
    title = tr("Language")
    return group(
        title,
        choice(
            "set-language", title, "", chosen, options, lambda to: set_in(view, "", language=to)
        ),
    )
