"""What all HTTP bodies have in common.

Bytes travel as base64, times as milliseconds since the Unix epoch, ids as UUIDs. The bodies stand
in the modules of their areas: accounts, servers, messages, social, calls, files.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends: an unknown field is a mistake worth telling."""


class Answer(msgspec.Struct, frozen=True):
    """What a server sends: an unknown field is a newer server, and fine."""


class Page(Answer, Generic[T], frozen=True):
    """A part of a long list, and the cursor that asks for the next one; None: this is the last."""

    items: list[T]
    next: str | None = None
