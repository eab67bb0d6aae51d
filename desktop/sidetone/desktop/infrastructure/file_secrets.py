"""Secrets in files of this user alone, for systems without a keyring."""

from pathlib import Path


class FileSecrets:
    """One file for each secret in *folder*, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """Return the secret that was put under *name*."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._folder / f".{name}"
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_bytes(secret)
        new.replace(self._folder / name)

    def forget(self, name: str) -> None:
        """Keep nothing under *name* any more."""
        (self._folder / name).unlink(missing_ok=True)
