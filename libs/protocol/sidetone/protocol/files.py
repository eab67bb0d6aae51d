"""Files that members bring: pictures, attachments, emoji. The media service keeps them."""

from typing import Literal, TypeAlias

from sidetone.protocol.ids import FileId
from sidetone.protocol.requests import Answer

# What a file is for decides how large it may be, and who may read it.
FilePurpose: TypeAlias = Literal["attachment", "avatar", "icon", "emoji"]


class File(Answer, frozen=True):
    """A file that was checked; *width* and *height* in pixels where it is a picture."""

    id: FileId
    name: str
    media_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    spoiler: bool = False


class LinkPreview(Answer, frozen=True):
    """What a page says of itself; *image* is our own copy of its picture."""

    url: str
    title: str
    description: str = ""
    site: str = ""
    image: FileId | None = None
