"""How it looks, and in which language: all of it changes at once."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import LANGUAGES, NATIVE_NAMES, tr
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, slider, toggle
from sidetone.desktop.interface.view import View


@ft.component
def AppearancePage(view: View) -> ft.Control:
    """Choose theme, size of letters, motion and language."""
    view.watch(Topic("preferences"))
    preferences = view.core.preferences.current
    looks = preferences.appearance
    themes = [
        ("system", tr("As the system")),
        ("dark", tr("Dark")),
        ("light", tr("Light")),
        ("high_contrast", tr("High contrast")),
    ]
    languages = [
        ("system", tr("As the system")),
        *((each, NATIVE_NAMES[each]) for each in LANGUAGES),
    ]
    return page(
        tr("Appearance and language"),
        group(
            tr("Looks"),
            choice(
                "set-theme",
                tr("Theme"),
                "",
                looks.theme,
                themes,
                lambda value: set_in(view, "appearance", theme=value),
            ),
            slider(
                "set-font",
                tr("Size of letters"),
                looks.font_percent,
                (80, 160),
                "%",
                lambda value: set_in(view, "appearance", font_percent=value),
            ),
            toggle(
                "set-motion",
                tr("Less motion"),
                tr("Leaves out what moves without need."),
                looks.reduced_motion,
                lambda on: set_in(view, "appearance", reduced_motion=on),
            ),
        ),
        group(
            tr("Language"),
            choice(
                "set-language",
                tr("Language"),
                "",
                preferences.language,
                languages,
                lambda value: set_in(view, "", language=value),
            ),
        ),
    )
