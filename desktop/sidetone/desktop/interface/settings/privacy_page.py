"""What others learn, and what an audience sees."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface.settings.parts import choice, group, page, set_in, slider, toggle
from sidetone.desktop.interface.view import View


@ft.component
def PrivacyPage(view: View) -> ft.Control:
    """Set streamer mode, what is told, and the overlay."""
    view.watch(Topic("preferences"))
    privacy = view.core.preferences.current.privacy
    overlay = view.core.preferences.current.overlay
    switches = [
        (
            "streamer_mode",
            tr("Streamer mode"),
            tr("Hides addresses, invites and codes, and the texts of notifications."),
            privacy.streamer_mode,
        ),
        ("tells_typing", tr("Tell when you type"), "", privacy.tells_typing),
        (
            "shows_previews",
            tr("Show previews of links"),
            tr("Your server fetched them; the page never learns of you."),
            privacy.shows_previews,
        ),
        (
            "looks_for_updates",
            tr("Look for newer versions"),
            tr("Nothing is ever installed by itself."),
            privacy.looks_for_updates,
        ),
    ]
    corners = [
        ("top_left", tr("Top left")),
        ("top_right", tr("Top right")),
        ("bottom_left", tr("Bottom left")),
        ("bottom_right", tr("Bottom right")),
    ]
    return page(
        tr("Privacy and streaming"),
        group(
            tr("Privacy"),
            *(
                toggle(
                    f"privacy-{field}",
                    name,
                    hint,
                    value,
                    lambda on, field=field: set_in(view, "privacy", **{field: on}),
                )
                for field, name, hint, value in switches
            ),
        ),
        group(
            tr("Overlay"),
            toggle(
                "overlay-shown",
                tr("Show who speaks in a small window"),
                tr("A window of its own above others; nothing is put into a game."),
                overlay.shown,
                lambda on: set_in(view, "overlay", shown=on),
            ),
            choice(
                "overlay-corner",
                tr("Corner"),
                "",
                overlay.corner,
                corners,
                lambda value: set_in(view, "overlay", corner=value),
            ),
            slider(
                "overlay-opacity",
                tr("Opacity"),
                overlay.opacity_percent,
                (20, 100),
                "%",
                lambda value: set_in(view, "overlay", opacity_percent=value),
            ),
        ),
    )
