"""What a child process is asked to do with bytes of strangers, and what it may answer.

A job is one argument on the command line, the bytes are the input, the answer is the output.
"""

from typing import TypeAlias

import msgspec

from sidetone.media.domain.bounds import Bounds, Picture


class Paint(msgspec.Struct, frozen=True, tag="paint"):
    """Make the picture in the input anew; *picture_format* is what it must be."""

    picture_format: str
    bounds: Bounds


class Skim(msgspec.Struct, frozen=True, tag="skim"):
    """Read what the page in the input says of itself; *charset* is what its sender claimed."""

    charset: str | None


Job: TypeAlias = Paint | Skim


class PageWords(msgspec.Struct, frozen=True):
    """What a page says of itself, as it says it."""

    title: str = ""
    description: str = ""
    site: str = ""
    image: str = ""


class Refused(msgspec.Struct, frozen=True):
    """The input breaks a rule."""

    code: str
    detail: str


class Painted(msgspec.Struct, frozen=True):
    """The answer to ``Paint``."""

    picture: Picture | None = None
    refused: Refused | None = None


class Limits(msgspec.Struct, frozen=True):
    """What a child may use up before the system stops it."""

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 20
