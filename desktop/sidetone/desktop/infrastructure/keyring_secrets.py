"""Keeps refresh tokens and the keys of vaults: in the system's keyring, else in a file.

The file is readable by its owner alone, which is what a keyring that opens at log-in protects from
too; what it lacks is protection from a stolen disk, and the user is told so. What was begun in the
file goes on in it, so that no key is looked for where it never was.
"""

import base64
import binascii
import threading
from pathlib import Path
from typing import Final

import keyring
import msgspec
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, PasswordDeleteError

from sidetone.desktop.application.home_paths import shortened
from sidetone.desktop.application.logins import Keyring
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Refusal, Unavailable
from sidetone.runtime.files import write_atomically

_SERVICE: Final = "sidetone"
SECRETS_FILE: Final = "secrets.json"


def open_secrets(folder: Path) -> tuple[Keyring, str]:
    """Return where secrets are kept, and a line for the user when a new file has to do."""
    path = folder / SECRETS_FILE
    backend = keyring.get_keyring()
    if path.exists() or backend.priority < 1:
        notice = tr(
            "This system has no keyring: sign-ins are kept in {file}, which only you can read.",
            file=shortened(str(path), Path.home()),
        )
        return FileSecrets(path), "" if path.exists() else notice
    return SystemKeyring(backend), ""


class SystemKeyring:
    """Secrets in the keyring of the operating system, which holds text: they are in base64."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def get(self, name: str) -> bytes | None:
        """Return the secret under *name*. Raises ``Unavailable`` while the keyring is locked."""
        try:
            text = self._backend.get_password(_SERVICE, name)
            return None if text is None else base64.b64decode(text, validate=True)
        except (KeyringError, binascii.Error) as error:
            raise _unusable() from error

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*. Raises ``Unavailable`` while the keyring is locked."""
        try:
            text = base64.b64encode(secret).decode()
            self._backend.set_password(_SERVICE, name, text)  # pyright: ignore[reportUnknownMemberType]
        except KeyringError as error:
            raise _unusable() from error

    def forget(self, name: str) -> None:
        """Keep nothing under *name*. Raises ``Unavailable`` while the keyring is locked."""
        try:
            self._backend.delete_password(_SERVICE, name)
        except PasswordDeleteError:
            return
        except KeyringError as error:
            raise _unusable() from error


class FileSecrets:
    """Secrets in the file at *path*, for its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """Return the secret under *name*. Raises ``Unavailable`` for a file that is damaged."""
        with self._lock:
            return self._read().get(name)

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*. Raises ``Unavailable`` where it cannot be written."""
        with self._lock:
            self._write({**self._read(), name: secret})

    def forget(self, name: str) -> None:
        """Keep nothing under *name*. Raises ``Unavailable`` where it cannot be written."""
        with self._lock:
            kept = self._read()
            if kept.pop(name, None) is not None:
                self._write(kept)

    def _read(self) -> dict[str, bytes]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, bytes])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise self._unusable() from error

    def _write(self, secrets: dict[str, bytes]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, msgspec.json.encode(secrets), 0o600)
        except OSError as error:
            raise self._unusable() from error

    def _unusable(self) -> Refusal:
        return Unavailable(
            "secrets_unusable",
            tr(
                "The file of sign-ins {file} cannot be used; restore it, or move it away to "
                "sign in anew.",
                file=self._path,
            ),
        )


def _unusable() -> Refusal:
    return Unavailable(
        "keyring_unusable",
        tr("The system's keyring does not answer; unlock it and try again."),
    )
