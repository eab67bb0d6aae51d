"""What a window needs to bring a file that its user chose into this process."""

from typing import Protocol

from sidetone.protocol.refusals import Refusal


class Arriving(Protocol):
    """One file on its way; the window sends it to *path*."""

    path: str

    async def content(self) -> bytes:
        """Return it when it is here. Raises a ``Refusal`` if it will never be."""
        ...

    def failed(self, why: Refusal) -> None:
        """Note that it will never be here."""
        ...


class Arrivals(Protocol):
    """Where windows of a browser leave files; one of this system reads them from the disk."""

    def expect(self, bytes_max: int) -> Arriving:
        """Return where to send a file of at most *bytes_max*."""
        ...
