"""A file from its announcement to its end: what is known of it, and who may do what with it.

open (the bytes may come) -> checking -> ready (nobody uses it yet) -> claimed. What was dropped
can be seen by nobody and goes with the next sweep.
"""

from typing import Literal, TypeAlias

import msgspec

from sidetone.media.domain.file_name import clean_name
from sidetone.media.domain.media_types import clean_type
from sidetone.protocol.files import File, FilePurpose, StartUpload
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.refusals import Conflict, Invalid, NotFound

State: TypeAlias = Literal["open", "checking", "ready", "claimed", "dropped"]

# What is looked at by everybody must be a picture.
PICTURES_ONLY: frozenset[FilePurpose] = frozenset({"avatar", "icon", "emoji"})


class Sizes(msgspec.Struct, frozen=True):
    """How many bytes an upload may have."""

    attachment_bytes_max: int = 25 * 1024 * 1024
    picture_bytes_max: int = 8 * 1024 * 1024
    emoji_bytes_max: int = 512 * 1024

    def of(self, purpose: FilePurpose) -> int:
        """Return the limit of *purpose*."""
        if purpose == "attachment":
            return self.attachment_bytes_max
        return self.emoji_bytes_max if purpose == "emoji" else self.picture_bytes_max


class Lifetimes(msgspec.Struct, frozen=True):
    """How long what is not in use is kept."""

    doorway_seconds: int = 15 * 60
    open_ms: int = 60 * 60_000
    unused_ms: int = 24 * 60 * 60_000


class Holding(msgspec.Struct, frozen=True):
    """One file of *owner*; None: the server made it itself.

    *quarantine* is the unguessable name under which the bytes of the upload come in.
    """

    file: File
    purpose: FilePurpose
    owner: UserId | None
    state: State
    quarantine: str
    created_at_ms: int
    channel: ChannelId | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it was made anew, and has a preview."""
        return self.file.width is not None


def announced(
    file: FileId, owner: UserId, wish: StartUpload, sizes: Sizes, quarantine: str, now_ms: int
) -> Holding:
    """Return the holding of a new upload. Raises ``Invalid``."""
    size_bytes_max = sizes.of(wish.purpose)
    if not 0 < wish.size_bytes <= size_bytes_max:
        detail = f"a file for this must have 1 to {size_bytes_max} bytes; choose another"
        raise Invalid("file_size_refused", detail)
    made = File(
        file,
        clean_name(wish.name),
        clean_type(wish.media_type),
        wish.size_bytes,
        spoiler=wish.spoiler,
    )
    return Holding(made, wish.purpose, owner, "open", quarantine, now_ms)


def require_channel(purpose: FilePurpose, channel: ChannelId | None) -> None:
    """Refuse to claim an attachment for nowhere, or anything else for a channel."""
    if (purpose == "attachment") != (channel is not None):
        raise Invalid("claim_misplaced", "attachments belong to a channel, and nothing else does")


def unknown_file() -> NotFound:
    """Return the refusal for a file that does not exist, or that the asker may not know of."""
    return NotFound("file_unknown", "there is no such file, or you cannot see it")


def file_in_use() -> Conflict:
    """Return the refusal to claim what belongs to something else."""
    return Conflict("file_in_use", "this file is in use elsewhere; upload it again")


def file_not_ready() -> Conflict:
    """Return the refusal to claim what was not checked yet."""
    return Conflict("file_not_ready", "this upload is not complete; complete it, then use it")
