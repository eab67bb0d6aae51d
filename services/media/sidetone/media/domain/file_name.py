"""What a file is called: for people to read, and for nothing else. It never becomes a path."""

import unicodedata
from urllib.parse import quote

from sidetone.media.domain.texts import without_controls

_LENGTH_MAX = 120
_EXTENSION_LENGTH_MAX = 16


def clean_name(name: str) -> str:
    r"""Return *name* as it may be shown: one line, no folders, none of the signs that mislead.

    >>> clean_name("C:\\pictures\\../me.png"), clean_name("../../etc/passwd")
    ('me.png', 'passwd')
    >>> clean_name("photo_\u202egnp.exe"), clean_name(" \t..\x00 ")
    ('photo_gnp.exe', 'file')
    """
    shown = without_controls(unicodedata.normalize("NFC", name))
    last = shown.replace("\\", "/").rpartition("/")[2].strip(" .") or "file"
    if len(last) <= _LENGTH_MAX:
        return last
    stem, dot, extension = last.rpartition(".")
    if not dot or len(extension) > _EXTENSION_LENGTH_MAX:
        return last[:_LENGTH_MAX]
    return stem[: _LENGTH_MAX - len(extension) - 1] + dot + extension


def disposition(kind: str, name: str) -> str:
    """Return the ``Content-Disposition`` (RFC 6266) of a file; *kind* is inline or attachment.

    >>> disposition("attachment", "grüße.txt")
    "attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt"
    """
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
