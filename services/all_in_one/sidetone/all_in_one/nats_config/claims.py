"""The signed claims that NATS trusts: of the operator, of accounts, of users.

They are JSON Web Tokens of NATS's own kind (signed with Ed25519 keys called nkeys). The server
holds none of their keys: whoever reads its configuration can sign in as nobody.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import nkeys  # pyright: ignore[reportMissingTypeStubs]

from sidetone.all_in_one.nats_config.grants import Grant

# The library has no types.
_NKEYS: Final[Any] = nkeys

OPERATOR: Final[int] = _NKEYS.PREFIX_BYTE_OPERATOR
ACCOUNT: Final[int] = _NKEYS.PREFIX_BYTE_ACCOUNT
USER: Final[int] = _NKEYS.PREFIX_BYTE_USER

_ANSWER_SECONDS: Final = 10
_ANY: Final = -1
_LIMITS: Final = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), _ANY
)
_STORAGE: Final = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), _ANY)


class Key:
    """A key that signs claims or proves who a user is."""

    def __init__(self, seed: str) -> None:
        """Take the *seed* as NATS writes it. Raises ``ValueError`` for anything else."""
        try:
            self._pair: Any = _NKEYS.from_seed(bytearray(seed.encode()))
        except _NKEYS.NkeysError as error:
            raise ValueError(str(error)) from error
        self.seed = seed

    @classmethod
    def new(cls, kind: int) -> "Key":
        """Draw a key for an operator, an account or a user."""
        return cls(_NKEYS.encode_seed(os.urandom(32), kind).decode())

    @property
    def public(self) -> str:
        """The public key: what others know the holder by."""
        return bytes(self._pair.public_key).decode()

    def sign(self, claims: dict[str, Any], now_seconds: int) -> str:
        """Return *claims* as a token that this key issues now."""
        issued = claims | {"iat": now_seconds, "iss": self.public}
        digest = hashlib.sha256(msgspec.json.encode(issued)).digest()
        issued["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
        head = _part({"typ": "JWT", "alg": "ed25519-nkey"})
        signed = f"{head}.{_part(issued)}"
        signature: bytes = self._pair.sign(signed.encode())
        return f"{signed}.{_text(signature)}"


def operator(name: str, public: str, system_account: str) -> dict[str, Any]:
    """Return what an operator says of itself: its accounts and which is the system's."""
    nats = {"type": "operator", "version": 2, "system_account": system_account}
    return {"name": name, "sub": public, "nats": nats}


def account(
    name: str, public: str, revoked: Mapping[str, int], *, streams: bool
) -> dict[str, Any]:
    """Return what an operator says of an account; *streams*: it may keep them.

    *revoked* maps public keys of users to a time in seconds: what was signed before counts no
    more.
    """
    limits = _LIMITS | {"wildcards": True} | (_STORAGE if streams else {})
    nats = {"type": "account", "version": 2, "limits": limits, "revocations": dict(revoked)}
    return {"name": name, "sub": public, "nats": nats}


def user(name: str, public: str, grant: Grant, expires: int | None) -> dict[str, Any]:
    """Return what an account says of a user: its rights, until *expires* in seconds."""
    nats: dict[str, Any] = {
        "type": "user",
        "version": 2,
        "subs": _ANY,
        "data": _ANY,
        "payload": _ANY,
        "pub": _only(grant.publish),
        "sub": _only(grant.subscribe),
    }
    if grant.answers:
        nats["resp"] = {"max": 1, "ttl": _ANSWER_SECONDS * 1_000_000_000}
    claims = {"name": name, "sub": public, "nats": nats}
    return claims if expires is None else claims | {"exp": expires}


def credentials(token: str, key: Key) -> str:
    """Return the file that a user signs in with, as every NATS client reads it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        "Keep this file secret: whoever has it is this user.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n------END USER NKEY SEED------\n"
    )


def _only(subjects: list[str]) -> dict[str, list[str]]:
    """Return the permission for *subjects* alone; an empty list would allow everything."""
    return {"allow": subjects} if subjects else {"deny": [">"]}


def _part(content: dict[str, Any]) -> str:
    return _text(msgspec.json.encode(content))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
