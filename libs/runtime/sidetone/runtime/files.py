"""Small files that are either the old ones or the new ones, never something in between."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int) -> None:
    """Replace *path* by *content*, on disk before this returns."""
    draft = _draft(path, content, mode)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def create_once(path: Path, content: bytes, mode: int) -> None:
    """Create *path* with *content*, unless another process was first: then theirs stays."""
    draft = _draft(path, content, mode)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    # mkstemp gives 0600 from the first moment: a secret is never readable by others.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(mode)
    return Path(name)


def _sync_folder(folder: Path) -> None:
    # Windows has no handle of a folder to sync.
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
