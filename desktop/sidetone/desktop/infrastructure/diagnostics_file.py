"""Writes what helps with a fault into one file, which the user reads and hands on themselves."""

import importlib.metadata
import io
import os
import platform
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sidetone.desktop.domain.diagnostics import Findings, files_of
from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.infrastructure.log_file import last_lines
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.files import write_atomically

_PACKAGES: Final = (
    "sidetone-desktop",
    "flet",
    "aioquic",
    "numba",
    "numpy",
    "av",
    "soxr",
    "pynput",
)


class DiagnosticsFile:
    """Diagnostics of the client whose log is in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(
        self,
        path: Path,
        preferences: Preferences,
        devices: tuple[Sequence[str], Sequence[str]],
        counters: Mapping[str, float],
    ) -> None:
        """Write them to *path*, a zip file; *devices* are microphones and loudspeakers by name.

        Blocks for a moment. Raises ``Unavailable`` where it cannot be written.
        """
        try:
            microphones, speakers = devices
            log = last_lines(self._folder)
            findings = Findings(_versions(), microphones, speakers, log, counters)
            zipped = io.BytesIO()
            with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files_of(findings, preferences, str(Path.home())).items():
                    archive.writestr(name, content)
            write_atomically(path, zipped.getvalue(), 0o600)
        except OSError as error:
            raise Unavailable(
                "diagnostics_unwritable",
                tr(
                    "Diagnostics cannot be written to {file} ({reason}); choose another folder.",
                    file=path,
                    reason=error.strerror,
                ),
            ) from error


def _versions() -> dict[str, str]:
    installed = {name: _version(name) for name in _PACKAGES}
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **installed,
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
