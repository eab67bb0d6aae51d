"""Shows notices by the system's own means; the only module that knows desktop-notifier.

That library logs whole notices when it debugs, and a traceback for each where the system shows
none: it is told not to, whatever the level.
"""

import logging
from collections.abc import Callable
from typing import Final

from desktop_notifier import DEFAULT_SOUND, DesktopNotifier, Urgency
from desktop_notifier.main import get_backend_class

from sidetone.desktop.domain.notifying import Notice
from sidetone.desktop.domain.place import Place

# Notices that the system shows at once; of more, the oldest is taken back.
SHOWN_MAX: Final = 20


def ready_notices() -> None:
    """Import what shows notices on this system, which takes longer than a window may be held."""
    get_backend_class()


class SystemNotices:
    """The notices of this process; *opened* hears, in the loop, where a click leads."""

    def __init__(self, opened: Callable[[Place], None]) -> None:
        for name in ("desktop_notifier", "dbus_fast"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._notifier = DesktopNotifier("Sidetone", app_icon=None)
        self._opened = opened
        self._shown: dict[str, str] = {}

    async def show(self, notice: Notice) -> None:
        """Show *notice* in place of the one before it of its group; a system may show none."""
        await self.take_back(notice.group)
        while len(self._shown) >= SHOWN_MAX:
            await self.take_back(next(iter(self._shown)))

        def clicked() -> None:
            self._shown.pop(notice.group, None)
            self._opened(notice.place)

        self._shown[notice.group] = await self._notifier.send(
            notice.title,
            notice.text,
            urgency=Urgency.Critical if notice.urgent else Urgency.Normal,
            sound=DEFAULT_SOUND if notice.sounds else None,
            on_clicked=clicked,
            on_dismissed=lambda: self._shown.pop(notice.group, None),
            thread=notice.group,
        )

    async def take_back(self, group: str) -> None:
        """Show nothing of *group* any more."""
        identifier = self._shown.pop(group, None)
        if identifier in await self._notifier.get_current_notifications():
            await self._notifier.clear(str(identifier))
