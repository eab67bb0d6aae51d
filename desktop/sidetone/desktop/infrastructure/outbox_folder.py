"""Keeps what was written and is not acknowledged: a file for each message, named by its nonce.

They hold words in the clear, as the server will have them, and are for their owner alone. Nonces
are in the order of time, and so are the names.
"""

import logging
from pathlib import Path

import msgspec

from sidetone.desktop.application.outbox import Written
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.files import write_atomically

_log = logging.getLogger(__name__)

_SUFFIX = ".json"


class OutboxFolder:
    """The messages in *folder*. Blocks: it has its own thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Written]:
        """Return what lies here, the oldest first; what cannot be read stays where it is."""
        found: list[Written] = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Written))
            except (OSError, msgspec.DecodeError):
                _log.warning("a message that waited cannot be read from %s", path)
        return found

    def keep(self, written: Written) -> None:
        """Have *written* on disk. Raises ``Unavailable`` where it cannot be."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(
                self._path(written.message.nonce), msgspec.json.encode(written), 0o600
            )
        except OSError as error:
            raise Unavailable(
                "outbox_unwritable",
                tr(
                    "The message cannot be kept in {folder} ({reason}); check its owner and "
                    "free space.",
                    folder=self._folder,
                    reason=error.strerror,
                ),
            ) from error

    def forget(self, nonce: str) -> None:
        """Keep the message of *nonce* no more. What cannot be deleted is sent again, unseen."""
        try:
            self._path(nonce).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("a message that was sent cannot be deleted: %s", error)

    def _path(self, nonce: str) -> Path:
        return self._folder / f"{nonce}{_SUFFIX}"
