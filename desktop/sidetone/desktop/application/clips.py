"""The clips of the soundboard: sounds in a folder of this machine, called as their files are."""

import asyncio
from pathlib import Path
from typing import Final

from sidetone.protocol.refusals import Invalid

CLIPS_MAX: Final = 200
_NAME_MAX: Final = 60
SUFFIXES: Final = frozenset({".wav"})


async def list_clips(folder: Path) -> list[Path]:
    """Return the clips by name; none where there is no folder yet."""
    return await asyncio.to_thread(_list, folder)


async def add_clip(folder: Path, name: str, data: bytes) -> Path:
    """Keep *data* as the clip *name*. Raises ``Invalid`` if it is no sound, or too long."""
    return await asyncio.to_thread(_add, folder, name, data)


async def rename_clip(clip: Path, name: str) -> None:
    """Call *clip* by another name. Raises ``Invalid`` if there is one of that name."""
    target = clip.with_name(_file_name(name))
    if await asyncio.to_thread(target.exists):
        raise Invalid("clip_exists", f"there is a clip called {target.stem} already")
    await asyncio.to_thread(clip.rename, target)


async def remove_clip(clip: Path) -> None:
    """Delete *clip*."""
    await asyncio.to_thread(clip.unlink, missing_ok=True)


def _list(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    clips = [each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES]
    return sorted(clips, key=lambda each: each.stem.casefold())[:CLIPS_MAX]


def _add(folder: Path, name: str, data: bytes) -> Path:
    # Not at the top: what knows sound imports kernels, which take a while.
    from sidetone.audio import AudioError  # noqa: PLC0415
    from sidetone.client.soundboard import load_clip  # noqa: PLC0415

    try:
        folder.mkdir(parents=True, exist_ok=True)
        clip = folder / _file_name(Path(name).stem)
        coming = clip.with_suffix(".part")
        coming.write_bytes(data)
        try:
            load_clip(coming)
        except AudioError as error:
            coming.unlink()
            raise Invalid("clip_unusable", str(error).replace(str(coming), name)) from None
        coming.replace(clip)
    except OSError as error:
        raise Invalid("clip_not_kept", f"the clip cannot be kept: {error.strerror}") from None
    return clip


def _file_name(name: str) -> str:
    """Return *name* as a file can be called."""
    kept = "".join(c for c in name.strip() if c.isprintable() and c not in '/\\:*?"<>|')
    return f"{kept[:_NAME_MAX].strip('. ') or 'clip'}.wav"
