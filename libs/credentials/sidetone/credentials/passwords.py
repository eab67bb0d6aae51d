"""Passwords: which ones are accepted, and how they are kept.

Argon2id with 64 MiB, three passes and one lane (RFC 9106 asks for at least that of a server), in
a small pool of threads: argon2 releases the interpreter lock, and on two cores two threads did 12
hashes in 1.0 s where two processes took 1.0 s as well, with the event loop late by 1.0 ms at the
99th percentile. Memory is bounded by the threads, work that waits is bounded too.
"""

import asyncio
import base64
import re
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.resources import files
from itertools import pairwise
from typing import ParamSpec, TypeVar

import msgspec
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from sidetone.protocol.refusals import Invalid, Unavailable

P = ParamSpec("P")
R = TypeVar("R")

LENGTH_MIN = 12
BYTES_MAX = 1024

_LANES = 1
_DISTINCT_MIN = 5
_REPEATED = re.compile(r"(.{1,8}?)\1+", re.DOTALL)
_THREADS = 2
_WAITING_MAX = 64


class Cost(msgspec.Struct, frozen=True):
    """The work of one hash: as many passes over so much memory."""

    passes: int = 3
    memory_kib: int = 64 * 1024


DEFAULT_COST = Cost()


class Verdict(msgspec.Struct, frozen=True):
    """Whether a password matches, and whether its hash was made with older parameters."""

    matches: bool
    outdated: bool


class Passwords:
    """Hashes and verifies passwords away from the event loop."""

    def __init__(self, cost: Cost = DEFAULT_COST) -> None:
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, _LANES, type=Type.ID)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._nobody = _unmatchable(cost)
        # How many times argon2 has run: the same for known and unknown accounts.
        self.computed = 0

    async def hash(self, password: str) -> str:
        """Return the encoded hash of *password*, with its salt and parameters."""
        return await self._run(self._hash, password)

    async def verify(self, encoded: str | None, password: str) -> Verdict:
        """Compare *password* with a stored hash.

        None stands for an account that does not exist: the same work is done against a hash that
        nothing matches, so that the time of the answer does not tell which accounts exist.
        """
        if len(password.encode()) > BYTES_MAX:
            return Verdict(matches=False, outdated=False)
        matches = await self._run(self._matches, encoded or self._nobody, password)
        known = encoded is not None
        return Verdict(
            matches=matches and known,
            outdated=matches and known and self._hasher.check_needs_rehash(encoded),
        )

    async def _run(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        if self._waiting >= _WAITING_MAX:
            raise Unavailable("busy", "too many people are logging in at once; try again shortly")
        self._waiting += 1
        self.computed += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(work, *arguments, **named))
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, _normal(password))
        except (VerificationError, InvalidHashError):
            return False


def require_good(password: str, name: str) -> None:
    """Raise ``Invalid`` unless *password* may be chosen by the account called *name*.

    Length is what counts (NIST SP 800-63B): no rules on kinds of characters.

    >>> require_good("hunter2", "ada")
    Traceback (most recent call last):
    sidetone.protocol.refusals.Invalid: password_too_short: use at least 12 characters
    """
    password = _normal(password)
    if len(password) < LENGTH_MIN:
        raise Invalid("password_too_short", f"use at least {LENGTH_MIN} characters")
    if len(password.encode()) > BYTES_MAX:
        raise Invalid("password_too_long", f"use at most {BYTES_MAX} bytes")
    folded = password.casefold()
    if (
        folded in _common()
        or folded == name.casefold()
        or len(set(folded)) < _DISTINCT_MIN
        or _REPEATED.fullmatch(folded)
        or _is_run(folded)
    ):
        raise Invalid("password_common", "this password is easy to guess; choose another one")


def _unmatchable(cost: Cost) -> str:
    """Return an encoded hash of this cost that is not the hash of any known password."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (16, 32)
    )
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={_LANES}${salt}${digest}"


def _normal(password: str) -> str:
    # One password, whatever the keyboard composes (RFC 8265, OpaqueString).
    return unicodedata.normalize("NFC", password)


def _is_run(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1


@cache
def _common() -> frozenset[str]:
    text = (files("sidetone.credentials") / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
