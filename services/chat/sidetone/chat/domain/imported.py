"""What comes from another platform, as it is kept here.

Everything gets an id that follows from its id there: to import once more makes nothing twice, and
begins where it was broken off. Ids hold the original time, as all ids here do (UUIDv7).
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from sidetone.chat.domain.message import TEXT_LENGTH_MAX
from sidetone.chat.domain.name import NAME_LENGTH_MAX
from sidetone.protocol.ids import ChannelId, FileId, MessageId, RoleId, ServerId, UserId
from sidetone.protocol.servers import ChannelKind

# The beginning of 2015, from which Discord's ids count milliseconds in their upper 42 bits.
_EPOCH_MS = 1_420_070_400_000
_TIME_SHIFT = 22
_CONTROLS = {"Cc", "Cs"}
_MENTION = re.compile(r"<(@!?|@&|#|a?:\w{1,64}:)(\d{15,20})>")


class ForeignChannel(msgspec.Struct, frozen=True):
    """A channel there; *parent* is its category, or for a thread the channel it hangs in."""

    id: int
    name: str
    kind: ChannelKind
    parent: int | None = None
    topic: str = ""


class ForeignRole(msgspec.Struct, frozen=True):
    """A role there; what it allowed is in no export."""

    id: int
    name: str
    position: int
    color: int | None = None


class ForeignReaction(msgspec.Struct, frozen=True):
    """An emoji under a message, how many put it there, and who, where that was exported."""

    emoji: str
    count: int
    users: Sequence[int] = ()


class ForeignFile(msgspec.Struct, frozen=True):
    """A file at a message: where it lies, if it was exported, and a link to it, if any."""

    id: int
    name: str
    place: str = ""
    link: str = ""

    def line(self) -> str:
        """Return what stands for it in the text where it cannot be brought."""
        return f"[{self.name}]" + (f" <{self.link}>" if self.link else "")


class ForeignMessage(msgspec.Struct, frozen=True):
    """A message there, its text as it is to be shown here."""

    id: int
    author: int
    author_name: str
    text: str
    edited_at_ms: int | None = None
    reply_to: int | None = None
    pinned: bool = False
    reactions: Sequence[ForeignReaction] = ()
    files: Sequence[ForeignFile] = ()


def time_ms(snowflake: int) -> int:
    """Return when something was made there.

    >>> time_ms(175928847299117063)
    1462015105796
    """
    return (snowflake >> _TIME_SHIFT) + _EPOCH_MS


def server_id(guild: int) -> ServerId:
    """Return which server the *guild* becomes."""
    return ServerId(_id(guild, "server"))


def channel_id(guild: int, channel: int) -> ChannelId:
    """Return which channel *channel* of the *guild* becomes."""
    return ChannelId(_id(channel, "channel", guild))


def role_id(guild: int, role: int) -> RoleId:
    """Return which role *role* of the *guild* becomes."""
    return RoleId(_id(role, "role", guild))


def message_id(guild: int, message: int) -> MessageId:
    """Return which message *message* of the *guild* becomes; they keep their order."""
    return MessageId(_id(message, "message", guild))


def file_id(guild: int, file: int) -> FileId:
    """Return which file *file* of the *guild* becomes."""
    return FileId(_id(file, "file", guild))


def author_id(guild: int, user: int) -> UserId:
    """Return who *user* is in what was imported: nobody who has an account here."""
    return UserId(_id(user, "user", guild))


def shown_name(name: str, otherwise: str) -> str:
    """Return *name* as a name here: in one line, and with characters that can be seen.

    >>> shown_name(" off\u200btopic ", "channel")
    'offtopic'
    """
    line = unicodedata.normalize("NFC", " ".join(name.split()))
    seen = "".join(char for char in line if char.isprintable())
    return seen[:NAME_LENGTH_MAX].strip() or otherwise


def shown_text(text: str, names: Mapping[int, str]) -> tuple[str, bool]:
    """Return *text* as it can be kept, and whether it had to be cut.

    What it names by ids of the other platform it names by *names*, or as nobody.

    >>> shown_text("<@175928847299117063> see <#1759288472991170>, <:wave:175928847299117064>",
    ...            {175928847299117063: "Ada"})
    ('@Ada see #unknown, :wave:', False)
    """

    def named(match: re.Match[str]) -> str:
        mark, id_ = match[1], int(match[2])
        if mark.endswith(":"):
            return mark.removeprefix("a")
        return f"{'#' if mark == '#' else '@'}{names.get(id_, 'unknown')}"

    plain = _MENTION.sub(named, text.replace("\r\n", "\n"))
    kept = "".join(
        char for char in plain if char in "\n\t" or unicodedata.category(char) not in _CONTROLS
    )
    kept = unicodedata.normalize("NFC", kept).strip()
    return kept[:TEXT_LENGTH_MAX].strip(), len(kept) > TEXT_LENGTH_MAX


def _id(snowflake: int, *kind: str | int) -> UUID:
    """Return a UUIDv7 of the time of *snowflake* (RFC 9562 section 5.7).

    Behind the time stands what orders the things of one millisecond there, then a hash.
    """
    seed = "/".join(str(part) for part in (*kind, snowflake)).encode()
    digest = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
    upper = time_ms(snowflake) << 16 | 0x7000 | (snowflake & 0xFFF)
    return UUID(int=upper << 64 | 0b10 << 62 | digest >> 2)
