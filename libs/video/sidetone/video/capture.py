"""What can be shown, and the port that takes pictures of it."""

from typing import Protocol, TypeAlias

import msgspec

from sidetone.video import Pixels, Size


class Monitor(msgspec.Struct, frozen=True, tag="monitor"):
    """A monitor, counted from 1; 0 is the whole desktop."""

    number: int


class Window(msgspec.Struct, frozen=True, tag="window"):
    """A window, by its X11 id."""

    id: int


class TestCard(msgspec.Struct, frozen=True, tag="test_card"):
    """A made-up screen for tests and demonstrations, at least 384 wide; see `test_card`."""

    __test__ = False

    size: Size = Size(1280, 720)
    moves: bool = True


Subject: TypeAlias = Monitor | Window | TestCard
"""What is shown; it can be sent to the process that captures it."""


class Screen(msgspec.Struct, frozen=True):
    """Something that can be shown, for a list to choose from."""

    subject: Subject
    title: str
    size: Size


class Capture(Protocol):
    """Takes pictures of one subject."""

    def grab(self) -> Pixels:
        """Return what is to be seen now; its size may change.

        Raises ``VideoError`` when there is nothing to be seen any more.
        """
        ...

    def close(self) -> None:
        """Let the screen go."""
        ...
