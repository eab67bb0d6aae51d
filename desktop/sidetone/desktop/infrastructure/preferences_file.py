"""Keeps the preferences in one file that people can read, and that no failure can halve.

What cannot be read is set aside and said, never overwritten. Fields that this version does not
know are left out when it writes; a file of a newer version is copied aside first, so that nothing
is lost by going back for a day.
"""

from pathlib import Path
from typing import Final

import msgspec

from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.files import write_atomically

VERSION: Final = 1
_SIZE_MAX: Final = 1 << 20


class _Kept(msgspec.Struct, frozen=True):
    """What lies in the file."""

    version: int
    preferences: Preferences


class PreferencesFile:
    """The preferences at *path*. Blocks: it has its own thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[Preferences, str]:
        """Return what was set, and a line for the user where it could not be read as it was."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return Preferences(), ""
        except OSError as error:
            return Preferences(), tr(
                "Settings could not be read from {file} ({reason}); they are as at first.",
                file=self._path,
                reason=error.strerror,
            )
        try:
            kept = msgspec.json.decode(text if len(text) <= _SIZE_MAX else b"", type=_Kept)
        except msgspec.DecodeError:
            return Preferences(), self._aside("damaged")
        if kept.version > VERSION:
            return kept.preferences, self._aside(f"version{kept.version}")
        return kept.preferences, ""

    def save(self, preferences: Preferences) -> None:
        """Keep *preferences*, all or none of them. Raises ``Unavailable`` where they cannot be."""
        text = msgspec.json.format(msgspec.json.encode(_Kept(VERSION, preferences)), indent=2)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, text, 0o600)
        except OSError as error:
            raise Unavailable(
                "preferences_unwritable",
                tr(
                    "Settings cannot be written to {file} ({reason}); check the folder's owner "
                    "and free space.",
                    file=self._path,
                    reason=error.strerror,
                ),
            ) from error

    def _aside(self, why: str) -> str:
        aside = self._path.with_name(f"{self._path.stem}.{why}.json")
        try:
            self._path.replace(aside)
        except OSError:
            aside = self._path
        return (
            tr(
                "Settings could not be read and are as at first; the old file is {file}.",
                file=aside,
            )
            if why == "damaged"
            else tr(
                "Settings were written by a newer version; the old file is {file}.", file=aside
            )
        )
