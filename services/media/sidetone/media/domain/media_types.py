"""What a file is: what was claimed, where its first bytes agree; otherwise just bytes."""

import re

UNKNOWN = "application/octet-stream"
# Pictures that are made anew; every other kind of file is handed out as it came, for download.
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
# How many of the first bytes tell what a file is.
HEAD_BYTES = 8192

_PATTERN = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
_TEXT = "text/plain"
# Pages, vector graphics and programs of pages.
_RUNS = ("html", "xml", "script")
_OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "application/x-zip-compressed": "application/zip",
    "application/x-rar": "application/x-rar-compressed",
}


def clean_type(media_type: str) -> str:
    r"""Return *media_type* without parameters, by its usual name; ``UNKNOWN`` where it is none.

    >>> clean_type("Image/JPG"), clean_type("text/plain; charset=utf-8"), clean_type("x\r\ny")
    ('image/jpeg', 'text/plain', 'application/octet-stream')
    """
    name = media_type.partition(";")[0].strip().lower()
    if not _PATTERN.fullmatch(name):
        return UNKNOWN
    return _OTHER_NAMES.get(name, name)


def picture_type(claimed: str, sniffed: str | None) -> str | None:
    """Return the kind of picture that has to be made anew, None where it is none.

    A picture under another picture's name is still one, and still carries where it was taken.
    """
    if sniffed in PICTURES and claimed.startswith("image/"):
        return sniffed
    return None


def download_type(claimed: str, sniffed: str | None, head: bytes) -> str:
    """Return as what a file that is no picture of ours is handed out.

    Text has no magic bytes: it is plain text or nothing, so that no page and no vector graphic
    can call itself what it is.

    >>> download_type("application/pdf", "application/pdf", b"%PDF-1.7")
    'application/pdf'
    >>> download_type("image/svg+xml", None, b"<svg/>"), download_type("text/plain", None, b"hi")
    ('application/octet-stream', 'text/plain')
    """
    if sniffed is not None:
        harmless = not claimed.startswith("image/") and not claimed.endswith(_RUNS)
        return claimed if harmless and clean_type(sniffed) == claimed else UNKNOWN
    return _TEXT if claimed == _TEXT and _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    # The last sign may be cut in two.
    text = head.decode("utf-8", "ignore")
    return b"\x00" not in head and len(head) - len(text.encode()) < 4  # noqa: PLR2004 - the length of a sign
