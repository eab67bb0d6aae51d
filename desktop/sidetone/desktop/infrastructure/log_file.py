"""Writes the log of the client into a file that stays small and that its user alone can read."""

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from typing_extensions import override

from sidetone.desktop.domain.preferences import LogLevel
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime import logs

FILE_BYTES_MAX: Final = 1 << 20
OLD_FILES_MAX: Final = 2
_NAME: Final = "client.log"
# What they say at a lower level may hold what was typed or written, or drowns all else.
_QUIET: Final = ("pynput", "pystray", "desktop_notifier", "dbus_fast", "keyring", "PIL", "flet")


class _PrivateFile(RotatingFileHandler):
    """A file that is replaced when it is full, and never readable by others."""

    @override
    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)


def log_to(folder: Path, level: LogLevel) -> None:
    """Send all logs of this process to a file in *folder*; ``Unavailable`` if one cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _PrivateFile(
            folder / _NAME,
            maxBytes=FILE_BYTES_MAX,
            backupCount=OLD_FILES_MAX,
            encoding="utf-8",
        )
    except OSError as error:
        raise Unavailable(
            "log_unwritable",
            tr(
                "The log cannot be written to {folder} ({reason}); check its owner and space.",
                folder=folder,
                reason=error.strerror,
            ),
        ) from error
    logs.configure("json", level, to=handler)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def set_level(level: LogLevel) -> None:
    """Log from *level* on, from now on."""
    logging.getLogger().setLevel(level.upper())


def last_lines(folder: Path) -> str:
    """Return what is in the log in *folder*, the oldest first. Blocks for a moment."""
    names = [*(f"{_NAME}.{number}" for number in range(OLD_FILES_MAX, 0, -1)), _NAME]
    paths = [folder / name for name in names]
    return "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in paths if path.exists()
    )
