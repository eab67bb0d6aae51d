"""Write down what helps with a fault, for the user to read and to hand on themselves."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sidetone.desktop.application.sound_devices import SoundDevices
from sidetone.desktop.domain.preferences import Preferences
from sidetone.protocol.refusals import Refusal

_log = logging.getLogger(__name__)


class Diagnostics(Protocol):
    """What writes them. May block."""

    def write(
        self,
        path: Path,
        preferences: Preferences,
        devices: tuple[Sequence[str], Sequence[str]],
        counters: Mapping[str, float],
    ) -> None:
        """Write them to *path*, a zip file. Raises ``Unavailable`` where it cannot be written."""
        ...


async def export_diagnostics(
    diagnostics: Diagnostics,
    path: Path,
    preferences: Preferences,
    devices: SoundDevices,
    counters: Mapping[str, float],
) -> None:
    """Write what is known to *path*; without a list of devices where there is none."""
    names: tuple[list[str], list[str]] = ([], [])
    try:
        names = await asyncio.to_thread(devices.names)
    except Refusal as refusal:
        _log.info("no devices in the diagnostics: %s", refusal.detail)
    await asyncio.to_thread(diagnostics.write, path, preferences, names, counters)
