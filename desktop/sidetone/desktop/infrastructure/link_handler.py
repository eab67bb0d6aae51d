"""Tells the system that this client opens ``sidetone://`` links, for this user alone.

Linux gets a desktop file, Windows a key under the user's own classes. On macOS links belong to the
application bundle: its ``Info.plist`` must hold ``CFBundleURLTypes`` with ``CFBundleURLSchemes``
``sidetone``, which is for whoever builds the bundle; there is nothing to do at run time.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sidetone.desktop.domain.links import SCHEME
from sidetone.runtime.files import write_atomically

DESKTOP_FILE: Final = "sidetone.desktop"
_SECONDS_MAX: Final = 10
# The desktop entry specification: what must be escaped within quotes of `Exec`.
_ESCAPED: Final = str.maketrans({c: f"\\{c}" for c in '"`$\\'} | {"%": "%%"})


if sys.platform == "win32":
    import winreg

    def _register_on_windows(command: Sequence[str]) -> bool:
        quoted = subprocess.list2cmdline(command)
        try:
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"Software\Classes\{SCHEME}") as key:
                winreg.SetValueEx(key, "", 0, winreg.REG_SZ, "URL:Sidetone")
                winreg.SetValueEx(key, "URL Protocol", 0, winreg.REG_SZ, "")
                with winreg.CreateKey(key, r"shell\open\command") as opens:
                    winreg.SetValueEx(opens, "", 0, winreg.REG_SZ, f'{quoted} "%1"')
        except OSError:
            return False
        return True


def register(command: Sequence[str], applications: Path) -> bool:
    """Have links opened by *command*, which gets the link as its last argument.

    *applications* is the user's folder of desktop files, of use on Linux only. Returns whether the
    system knows it now. Blocks for a moment.
    """
    if sys.platform == "win32":
        return _register_on_windows(command)
    if sys.platform == "linux":
        return _register_on_linux(command, applications)
    return False


def desktop_file(command: Sequence[str]) -> str:
    """Return the desktop file for *command* (freedesktop.org's Desktop Entry Specification 1.5).

    >>> print(desktop_file(["/opt/side tone/client", "--quiet"]).splitlines()[3])
    Exec="/opt/side tone/client" "--quiet" %u
    """
    # Backslashes are halved twice: once as a string of the file, once within the quotes.
    quoted = " ".join(f'"{part.translate(_ESCAPED)}"' for part in command).replace("\\", "\\\\")
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Name=Sidetone",
        f"Exec={quoted} %u",
        "Icon=sidetone",
        "Categories=Network;InstantMessaging;AudioVideo;",
        f"MimeType=x-scheme-handler/{SCHEME};",
        "StartupNotify=true",
    )
    return "\n".join(lines) + "\n"


def _register_on_linux(command: Sequence[str], applications: Path) -> bool:
    xdg_mime = shutil.which("xdg-mime")
    path, content = applications / DESKTOP_FILE, desktop_file(command).encode()
    try:
        if path.is_file() and path.read_bytes() == content:
            # Said before; who has chosen another program since is left alone.
            return True
        applications.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, 0o644)
        if xdg_mime is None:
            return False
        done = subprocess.run(  # noqa: S603 (a program of the system, with constants)
            [xdg_mime, "default", DESKTOP_FILE, f"x-scheme-handler/{SCHEME}"],
            check=False,
            capture_output=True,
            timeout=_SECONDS_MAX,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
