"""The keys of one account on this machine: made at the first log-in, sealed in one vault file.

The file never leaves the machine and the server never sees it. A damaged file is reported and left
as it is: overwriting it would silently make the account look like somebody else to its friends.
"""

import asyncio
import logging
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

from sidetone.e2ee import vault
from sidetone.e2ee.identity import SEED_LENGTH, DeviceIdentity, create_identity
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.trust import Trust
from sidetone.protocol.accounts import RegisterDevice
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.refusals import Invalid, Refusal, Unauthenticated, Unavailable

_log = logging.getLogger(__name__)

# Pins change in bursts when somebody joins a full call: one write is enough for them.
_SAVE_DELAY_SECONDS = 2.0
_KEY_BYTES = 32


class Secrets(Protocol):
    """Where an operating system keeps small secrets by name. May block: it has its own thread."""

    def get(self, name: str) -> bytes | None:
        """Return the secret that was put under *name*."""
        ...

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*."""
        ...


class KeyStore:
    """An open vault: who this device is and whom it trusts.

    *lock* seals it, from a key in the keyring or from a passphrase.
    """

    def __init__(self, path: Path, lock: vault.Lock, contents: vault.Contents) -> None:
        self.identity: DeviceIdentity = contents.identity
        self.trust = Trust(contents.pins)
        self._path = path
        self._lock = lock
        self._saving: asyncio.Task[None] | None = None
        self._unsaved = False
        self._closing = asyncio.Event()

    @classmethod
    async def open(
        cls, folder: Path, user: UserId, passphrase: str, keyring: Secrets | None = None
    ) -> "KeyStore":
        """Open the vault of *user* in *folder*, or make one with a new identity.

        With a *keyring* a random key there seals it, else *passphrase*. Bots give the account's
        password: whoever holds it can log in as the bot anyway, the server keeps only its hash,
        and the file is only on this machine. Raises a ``Refusal`` that names the file.
        """
        path = folder / str(user) / "vault"
        return await asyncio.to_thread(cls._open, path, user, passphrase, keyring)

    @classmethod
    def _open(
        cls, path: Path, user: UserId, passphrase: str, keyring: Secrets | None
    ) -> "KeyStore":
        try:
            sealed = path.read_bytes() if path.exists() else None
            key = _key_of(path, sealed, keyring) if keyring is not None else passphrase
            if sealed is not None:
                return cls(path, *_unseal(path, sealed, key, user))
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            created_ms = time.time_ns() // 1_000_000
            identity = create_identity(user.bytes, uuid7().bytes, created_ms, secrets.token_bytes)
            contents = vault.Contents(identity, ())
            lock = _lock(key, secrets.token_bytes(vault.SALT_LENGTH))
            _write(path, vault.seal(contents, lock, secrets.token_bytes))
            return cls(path, lock, contents)
        except OSError as error:
            raise Unavailable(
                "vault_unusable",
                f"the key vault {path} cannot be used ({error.strerror}); check the folder's "
                "owner and free space",
            ) from error

    @property
    def device(self) -> DeviceId:
        """The id of this device."""
        return DeviceId(UUID(bytes=self.identity.device))

    def public_keys(self) -> RegisterDevice:
        """Return what the server may know of this device."""
        identity = self.identity
        return RegisterDevice(identity.uik, identity.dk, identity.created_ms, identity.certificate)

    async def adopt(self, user_seed: bytes) -> None:
        """Become a further device of whoever has this key of 32 bytes; pins stay.

        The device is a new one to the server, which must be told. Raises ``Unavailable`` where the
        vault cannot be written; then nothing has changed.
        """
        old, now_ms = self.identity, time.time_ns() // 1_000_000
        seed = secrets.token_bytes(SEED_LENGTH)
        adopted = DeviceIdentity(old.user, uuid7().bytes, user_seed, seed, now_ms)
        sealed = vault.seal(
            vault.Contents(adopted, self.trust.pins()), self._lock, secrets.token_bytes
        )
        try:
            await asyncio.to_thread(_write, self._path, sealed)
        except OSError as error:
            raise Unavailable(
                "vault_unusable",
                f"the key vault {self._path} cannot be written ({error.strerror}); check the "
                "folder's owner and free space",
            ) from error
        self.identity = adopted

    def save_soon(self) -> None:
        """Keep what is trusted now; changes that follow at once are kept with it."""
        self._unsaved = True
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save_later())

    async def close(self) -> None:
        """Keep what has not been kept yet."""
        self._closing.set()
        if self._saving is not None:
            await self._saving

    async def _save_later(self) -> None:
        while self._unsaved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _SAVE_DELAY_SECONDS)
            self._unsaved = False
            await self._save()

    async def _save(self) -> None:
        contents = vault.Contents(self.identity, self.trust.pins())
        try:
            sealed = vault.seal(contents, self._lock, secrets.token_bytes)
            await asyncio.to_thread(_write, self._path, sealed)
        except OSError as error:
            _log.warning("the key vault %s cannot be written: %s", self._path, error.strerror)


def _key_of(path: Path, sealed: bytes | None, keyring: Secrets) -> bytes:
    name = f"sidetone vault {path.parent.parent.name} {path.parent.name}"
    key = keyring.get(name)
    if key is None:
        if sealed is not None:
            raise Unauthenticated(
                "vault_key_missing",
                f"the keyring no longer holds the key of {path}; restore it there, or move the "
                "file away to start anew (your friends will see a changed identity)",
            )
        key = secrets.token_bytes(_KEY_BYTES)
        keyring.put(name, key)
    return key


def _unseal(
    path: Path, sealed: bytes, key: bytes | str, user: UserId
) -> tuple[vault.Lock, vault.Contents]:
    try:
        lock = _lock(key, vault.salt_of(sealed))
        contents = vault.unseal(sealed, lock)
    except Rejected as rejected:
        raise _vault_refusal(path, rejected) from None
    if contents.identity.user != user.bytes:
        raise Invalid("vault_foreign", f"the key vault {path} belongs to another account")
    return lock, contents


def _vault_refusal(path: Path, rejected: Rejected) -> Refusal:
    match rejected.code:
        case "vault_wrong_passphrase" | "vault_wrong_key":
            return Unauthenticated(
                rejected.code,
                f"the key vault {path} was sealed with another passphrase or key (perhaps a "
                "former password); give that one",
            )
        case "vault_kind":
            return Invalid(
                rejected.code,
                f"the key vault {path} is not sealed the way it is opened: keyring and passphrase "
                "were exchanged",
            )
        case _:
            return Invalid(
                rejected.code,
                f"the key vault {path} is damaged and was left as it is; restore a copy, or move "
                "it away to start anew (your friends will see a changed identity)",
            )


def _lock(key: bytes | str, salt: bytes) -> vault.Lock:
    """Make a lock: bytes are a key from the keyring, a string is a passphrase."""
    if isinstance(key, bytes):
        return vault.lock_by_key(key, salt)
    return vault.lock_by_passphrase(key, salt)


def _write(path: Path, sealed: bytes) -> None:
    """Put *sealed* in place whole or not at all, readable by its owner alone."""
    fresh = path.with_name(f"vault.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
