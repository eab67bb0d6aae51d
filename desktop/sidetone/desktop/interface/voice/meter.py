"""The level of the microphone, twenty times a second: the smallest leaf there is."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.voice import level_share
from sidetone.desktop.interface import theme
from sidetone.desktop.interface.view import View


@ft.component
def Meter(view: View) -> ft.Control:
    """Draw the level; the call tells of it only while one of these is shown."""
    view.watch(Topic("meter"))
    voice = view.core.voice
    level = view.core.sound_test.level_db
    ft.use_effect(voice.meter.watch, [], voice.meter.unwatch)
    return ft.ProgressBar(
        value=level_share(voice.level_db if level is None else level),
        bar_height=4,
        color=theme.GOOD,
        bgcolor=theme.CHOSEN,
        border_radius=2,
    )
