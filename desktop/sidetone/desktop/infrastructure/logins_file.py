"""Keeps which logins there are, in a file; the tokens that open them are in the keyring.

A keyring is for small things: Windows takes 2,560 bytes for each.
"""

import logging
from pathlib import Path
from typing import Final

import msgspec

from sidetone.desktop.application.logins import Remembered
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.files import write_atomically

_log = logging.getLogger(__name__)

LOGINS_FILE: Final = "logins.json"


class LoginsFile:
    """The list at *path*. Blocks: it has its own thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Remembered]:
        """Return what is remembered; what cannot be read counts as nothing, and is set aside."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Remembered])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError):
            aside = self._path.with_suffix(".damaged.json")
            _log.warning("the list of sign-ins cannot be read; it is now %s", aside)
            try:
                self._path.replace(aside)
            except OSError as error:
                _log.warning("it cannot be set aside: %s", error)
            return []

    def write(self, logins: list[Remembered]) -> None:
        """Remember *logins* and no others. Raises ``Unavailable`` where that cannot be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, msgspec.json.encode(logins), 0o600)
        except OSError as error:
            raise Unavailable(
                "logins_unwritable",
                tr(
                    "Sign-ins cannot be remembered in {file} ({reason}); check the folder's "
                    "owner and free space.",
                    file=self._path,
                    reason=error.strerror,
                ),
            ) from error
