"""What one writes in a channel and has not sent: it stays when one looks elsewhere meanwhile."""

from collections.abc import Callable
from typing import Final

from sidetone.protocol.files import File
from sidetone.protocol.ids import MessageId

# As many as a message carries.
FILES_MAX: Final = 10
# By then a field is empty whose text was sent.
EMPTIED_MS: Final = 1_000


class Upload:
    """A file on its way to the server; *progress* is from 0 to 1, *file* is there at the end."""

    def __init__(self, key: str, name: str, size_bytes: int, media_type: str) -> None:
        self.key = key
        self.name = name
        self.size_bytes = size_bytes
        self.media_type = media_type
        self.progress = 0.0
        self.problem = ""
        self.file: File | None = None
        self.cancel: Callable[[], object] = lambda: None


class Draft:
    """Words, files, and the message that is answered; *calls* stand for names in the words."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: dict[str, str] = {}
        self.reply_to: MessageId | None = None
        self.uploads: list[Upload] = []
        self._sent = ""
        self._emptied_ms = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is lost with it."""
        return not (self.text or self.uploads or self.reply_to)

    @property
    def files(self) -> list[File]:
        """The files that have arrived."""
        return [each.file for each in self.uploads if each.file is not None]

    @property
    def arriving(self) -> bool:
        """Whether files are still on their way."""
        return any(each.file is None and not each.problem for each in self.uploads)

    def typed(self, shown: str, now_ms: int) -> bool:
        """Hold what a field shows, and return whether that is less.

        Who types on at once is faster than the field, where what was sent still stands.
        """
        if now_ms >= self._emptied_ms or not shown.startswith(self._sent):
            self._sent = ""
        self.text = shown.removeprefix(self._sent)
        return bool(self._sent)

    def clear(self, now_ms: int) -> None:
        """Begin anew: what was written is sent."""
        self._sent, self._emptied_ms = self.text, now_ms + EMPTIED_MS
        self.text, self.calls, self.reply_to, self.uploads = "", {}, None, []

    def take(self, other: "Draft") -> None:
        """Hold what *other* holds."""
        self.text, self.calls = other.text, other.calls
        self.reply_to, self.uploads = other.reply_to, other.uploads
        self._sent = ""
