"""Which part of a file a request asks for (RFC 9110, section 14)."""

import re

import msgspec

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Span(msgspec.Struct, frozen=True):
    """*length* bytes from *start* of a file of *size_bytes*."""

    start: int
    length: int
    size_bytes: int

    def content_range(self) -> str:
        """Return the header that says so."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size_bytes}"


def span_of(header: str | None, size_bytes: int) -> Span | None:
    """Return the part that *header* asks for; None: all of it.

    A header that asks for several parts or for one outside, or that cannot be read, is ignored, as
    every server may.

    >>> span_of("bytes=5-", 10), span_of("bytes=-3", 10), span_of("bytes=0-99", 10)
    (Span(start=5, length=5, size_bytes=10), Span(start=7, length=3, size_bytes=10), \
Span(start=0, length=10, size_bytes=10))
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1 if last else size_bytes, size_bytes)
    return Span(start, end - start, size_bytes) if start < end else None
