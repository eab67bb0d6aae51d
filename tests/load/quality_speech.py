"""Voices to measure with: the two of the demo, and natural ones that Debian packages carry.

Natural speech is fetched with apt into the user's cache the first time; where there is no apt, or
no network, it is left out with a word. Of alsa-utils (GPL-2) a woman who names loudspeakers, of
pocketsphinx-testdata (BSD-2) a man who speaks numbers and commands; neither is shipped with us.
"""

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import platformdirs
import soxr

from sidetone.audio import SAMPLE_RATE, Samples

_DEMO = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"
_ALSA = "usr/share/sounds/alsa/*_*.wav"
_SPHINX = "usr/share/pocketsphinx/test/data/*.raw"
_SPHINX_HZ = 16_000
_FETCH_SECONDS = 60


def _sound(path: Path) -> Samples:
    if path.suffix == ".raw":
        pcm, rate_hz = path.read_bytes(), _SPHINX_HZ
    else:
        with wave.open(str(path)) as file:
            pcm, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    sound = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
    return sound if rate_hz == SAMPLE_RATE else soxr.resample(sound, rate_hz, SAMPLE_RATE)


def _package(name: str) -> Path | None:
    """Return the folder of a package's files, fetched if need be; None where it cannot be."""
    folder = platformdirs.user_cache_path("sidetone", appauthor=False) / "speech" / name
    if folder.exists():
        return folder
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "-qq", "download", name],
            cwd=folder.parent,
            check=True,
            capture_output=True,
            timeout=_FETCH_SECONDS,
        )
        package = next(folder.parent.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=_FETCH_SECONDS)
        package.unlink()
    except (subprocess.SubprocessError, StopIteration, OSError):
        return None
    return folder


def _natural(package: str, pattern: str) -> Samples | None:
    folder = _package(package)
    files = sorted(folder.glob(pattern)) if folder is not None else []
    if not files:
        print(f"natural speech of {package} is left out: apt could not fetch the package")
        return None
    return np.concatenate([_sound(path) for path in files])


def voices() -> dict[str, Samples]:
    """Return every voice there is, at 48 kHz: ada and ben are synthetic, the others natural."""
    found = {name: _sound(_DEMO / f"{name}.wav") for name in ("ada", "ben")}
    natural = {
        "woman": _natural("alsa-utils", _ALSA),
        "man": _natural("pocketsphinx-testdata", _SPHINX),
    }
    return found | {name: sound for name, sound in natural.items() if sound is not None}
