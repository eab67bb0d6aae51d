"""For those who help: what the log says, and a file about this client without anything secret."""

from pathlib import Path

import flet as ft

from sidetone.desktop.application.export_diagnostics import export_diagnostics
from sidetone.desktop.application.home_paths import shortened
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.settings.parts import block, choice, group, page, set_in, setting
from sidetone.desktop.interface.view import View


@ft.component
def AdvancedPage(view: View) -> ft.Control:
    """Set how much is logged, and write down what helps."""
    view.watch(Topic("preferences"))
    preferences = view.core.preferences.current
    levels = [
        ("debug", tr("Everything")),
        ("info", tr("What happens")),
        ("warning", tr("What goes wrong")),
        ("error", tr("Faults of the program")),
    ]
    problem = view.core.preferences.problem
    return page(
        tr("Advanced"),
        group(
            tr("Log"),
            choice(
                "set-log",
                tr("The log file holds"),
                tr("Never a password, a key, or what anybody wrote."),
                preferences.log_level,
                levels,
                lambda value: set_in(view, "", log_level=value),
            ),
        ),
        block(
            setting(
                tr("Diagnostics"),
                tr("A file for whoever helps you: versions, settings, the log. Read it first."),
                kit.button("diagnostics", tr("Write it"), view.act(_write, view), kind="quiet"),
            )
        ),
        *([kit.text(problem, "small", theme.WARNING)] if problem else []),
    )


async def _write(view: View) -> None:
    home = Path.home()
    path = home / "sidetone-diagnostics.zip"
    core = view.core
    await export_diagnostics(core.diagnostics, path, core.preferences.current, core.devices, {})
    view.notice(tr("Written to {file}.", file=shortened(str(path), home)))
