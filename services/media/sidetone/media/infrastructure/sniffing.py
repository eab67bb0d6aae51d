"""The only module that knows filetype, which knows files by their first bytes."""

import filetype  # pyright: ignore[reportMissingTypeStubs]


def sniff(head: bytes) -> str | None:
    """Return the media type that *head* begins, None where it cannot be told."""
    found: object = filetype.guess_mime(head)  # pyright: ignore[reportUnknownMemberType]
    return found if isinstance(found, str) else None
