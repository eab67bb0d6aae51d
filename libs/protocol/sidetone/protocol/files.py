"""Files that members bring: pictures, attachments, emoji. The media service keeps them.

An upload has three steps: ``POST /media/uploads`` announces it, a PUT to the URL of the answer
brings the bytes, ``POST /media/uploads/{file}/complete`` has them checked. After that whatever
uses the file claims it: a message its attachments, a user the avatar. What nobody claims within a
day is forgotten.
"""

from typing import Literal, TypeAlias

from sidetone.protocol.ids import FileId
from sidetone.protocol.requests import Answer, Body

# What a file is for decides how large it may be, and who may read it.
FilePurpose: TypeAlias = Literal["attachment", "avatar", "icon", "emoji"]


class File(Answer, frozen=True):
    """A file that was checked; *width* and *height* in pixels where it is a picture.

    A picture was made anew: its *media_type* and *size_bytes* are those of the new one. It has a
    small copy at ``GET /media/files/{file}/preview``.
    """

    id: FileId
    name: str
    media_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    spoiler: bool = False


class StartUpload(Body, frozen=True):
    """``POST /media/uploads``."""

    purpose: FilePurpose
    name: str
    media_type: str
    size_bytes: int
    spoiler: bool = False


class UploadTicket(Answer, frozen=True):
    """Where to PUT the bytes, with exactly these headers and no token of yours.

    *url* is absolute, or a path of the server that gave it.
    """

    id: FileId
    url: str
    headers: dict[str, str]
    expires_at_ms: int


class LinkPreview(Answer, frozen=True):
    """What a page says of itself; *image* is our own copy of its picture."""

    url: str
    title: str
    description: str = ""
    site: str = ""
    image: FileId | None = None
