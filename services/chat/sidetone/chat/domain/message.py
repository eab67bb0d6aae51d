"""What may be said, and what is in it: text, links, attachments.

Texts are data here: nothing is escaped or rendered, that is for who shows them.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import TypeVar

from sidetone.protocol.files import File
from sidetone.protocol.ids import FileId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Conflict, Invalid, NotFound

TEXT_LENGTH_MAX = 4_000
ATTACHMENTS_MAX = 10
NONCE_LENGTH_MAX = 64
DELETED_AT_ONCE_MAX = 100
PINS_MAX = 50
LINKS_PREVIEWED_MAX = 3
LINK_LENGTH_MAX = 2_000

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"(?<!<)\bhttps?://[^\s<>\"']+", re.IGNORECASE)
_ANY_LINK = re.compile(r"\bhttps?://[^\s<>\"']+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_~|"
_ALLOWED_CONTROLS = frozenset("\n\t")

T = TypeVar("T")


def checked_text(text: str, *, may_be_empty: bool = False) -> str:
    r"""Return *text* as it is stored: composed (NFC), line ends unified, trimmed.

    Raises ``Invalid`` where nothing can be seen in it, it is too long, or it holds a control
    character other than a newline or a tab.

    >>> checked_text("  Cafe\u0301\r\n ")
    'Café'
    """
    stored = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(stored) > TEXT_LENGTH_MAX:
        raise Invalid(
            "text_too_long",
            f"a message holds at most {TEXT_LENGTH_MAX} characters; send it in parts",
        )
    if not stored.isprintable() and any(map(_forbidden, stored)):
        raise Invalid(
            "text_control_character",
            "a message cannot hold control characters but newline and tab; remove them",
        )
    if not may_be_empty and not any(char.isprintable() and char != " " for char in stored):
        raise Invalid("text_empty", "a message says something or brings a file; write something")
    return stored


def _forbidden(char: str) -> bool:
    return char not in _ALLOWED_CONTROLS and unicodedata.category(char) in {"Cc", "Cs"}


def checked_nonce(nonce: str | None) -> str | None:
    """Return *nonce* if it can be one. Raises ``Invalid``."""
    if nonce is not None and not (
        0 < len(nonce) <= NONCE_LENGTH_MAX and nonce.isascii() and nonce.isprintable()
    ):
        raise Invalid(
            "nonce_unusable", f"a nonce has 1 to {NONCE_LENGTH_MAX} printable ASCII characters"
        )
    return nonce


def checked_attachments(files: Sequence[FileId]) -> list[FileId]:
    """Return *files*, each once. Raises ``Invalid`` for more than a message carries."""
    once = list(dict.fromkeys(files))
    if len(once) > ATTACHMENTS_MAX:
        raise Invalid(
            "attachments_too_many",
            f"a message carries at most {ATTACHMENTS_MAX} files; send the others in another one",
        )
    return once


def checked_batch(ids: Sequence[T]) -> list[T]:
    """Return *ids*, each once. Raises ``Invalid`` for none, or for too many at once."""
    once = list(dict.fromkeys(ids))
    if not 1 <= len(once) <= DELETED_AT_ONCE_MAX:
        raise Invalid(
            "messages_out_of_range", f"name 1 to {DELETED_AT_ONCE_MAX} messages in one request"
        )
    return once


def outside_code(text: str) -> str:
    """Return *text* without what is marked as code: in it nothing is a link or a mention.

    >>> outside_code("see `https://a.example` and ```<@1>```")
    'see   and  '
    """
    return _CODE.sub(" ", text)


def links_to_preview(text: str) -> list[str]:
    """Return the first links, each once; one in angle brackets is meant to stay without preview.

    >>> links_to_preview("look: https://a.example/x. <https://b.example> https://a.example/x")
    ['https://a.example/x']
    """
    found = (match[0].rstrip(_TRAILING) for match in _LINK.finditer(outside_code(text)))
    usable = (link for link in found if len(link) <= LINK_LENGTH_MAX)
    return list(dict.fromkeys(usable))[:LINKS_PREVIEWED_MAX]


def traits(message: Message) -> frozenset[str]:
    """Return what a search can ask a message to have: file, image, link, mention, pin."""
    found = {
        "file": bool(message.attachments),
        "image": any(_is_picture(file) for file in message.attachments),
        "link": _ANY_LINK.search(outside_code(message.text)) is not None,
        "mention": bool(message.mentions or message.mentioned_roles or message.mentions_everyone),
        "pin": message.pinned,
    }
    return frozenset(name for name, is_there in found.items() if is_there)


def _is_picture(file: File) -> bool:
    return file.media_type.startswith("image/")


def unknown_message() -> NotFound:
    """Return the one refusal for messages that are absent, or in another channel."""
    return NotFound("message_unknown", "there is no such message here; it may have been deleted")


def stale_message() -> Conflict:
    """Return the refusal of an edit that another one overtook."""
    return Conflict("stale_version", "the message has changed; read it again, then edit it")


def not_of_people() -> Conflict:
    """Return the refusal to change what the server wrote."""
    return Conflict("message_not_text", "this line was written by the server; it stays as it is")
