"""Fetches update manifests, and knows what was installed and what was seen.

A release carries ``release.json`` beside this package: where its manifests are and which key signs
them. A checkout has no such file and looks for nothing.
"""

import asyncio
import platform
import ssl
from importlib import metadata, resources
from pathlib import Path
from typing import Final

import httpx
import msgspec

from sidetone.desktop.application.look_for_updates import Installation
from sidetone.desktop.domain.updates import SIZE_MAX, Version
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Invalid, Refusal, Unavailable
from sidetone.runtime.files import write_atomically

_SECONDS_MAX: Final = 15.0
_KEY_BYTES: Final = 32
_SYSTEMS: Final = {"Darwin": "macos"}
_MACHINES: Final = {"AMD64": "x86_64", "aarch64": "arm64"}


class Release(msgspec.Struct, frozen=True):
    """What the release workflow writes into ``release.json``; the key is in base64."""

    manifest_url: str
    public_key: bytes


def release() -> Release | None:
    """Return what this release knows of later ones, None in a checkout."""
    file = resources.files("sidetone.desktop") / "release.json"
    return read_release(file.read_bytes()) if file.is_file() else None


def read_release(text: bytes) -> Release:
    """Read ``release.json``. Raises ``Invalid`` for one that the workflow has not written."""
    try:
        found = msgspec.json.decode(text, type=Release)
    except msgspec.DecodeError as error:
        raise Invalid("release_invalid", f"release.json is damaged: {error}") from None
    if len(found.public_key) != _KEY_BYTES or not found.manifest_url.startswith("https://"):
        raise Invalid(
            "release_invalid", "release.json needs an https:// URL and a key of 32 bytes"
        )
    return found


def installation(of: Release) -> Installation:
    """Return what runs here."""
    version = Version.read(metadata.version("sidetone-desktop"))
    return Installation(version, platform_name(), of.public_key)


def platform_name() -> str:
    """Return what packages for this machine are called, such as ``linux-x86_64``."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    return f"{system}-{_MACHINES.get(platform.machine(), platform.machine())}"


class UpdatesHttp:
    """The manifest at *url*; its signature is what is believed, TLS only hides who asks."""

    def __init__(self, url: str, tls: ssl.SSLContext | bool = True) -> None:  # noqa: FBT001, FBT002 (as httpx calls it)
        self._url = url
        self._tls = tls

    async def fetch(self) -> bytes:
        """Return the file. Raises ``Unavailable`` when it does not come, or never ends."""
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                return await self._fetch()
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unavailable() from error

    async def _fetch(self) -> bytes:
        # No redirects: they could lead away from https, and the address is ours to keep right.
        async with (
            httpx.AsyncClient(verify=self._tls, follow_redirects=False) as client,
            client.stream("GET", self._url) as answer,
        ):
            if not answer.is_success:
                raise _unavailable()
            body = b""
            async for part in answer.aiter_raw():
                body += part
                if len(body) > SIZE_MAX:
                    raise _unavailable()
            return body


class SeenVersionFile:
    """The newest version that was ever named to us, in a file at *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Version:
        """Return it; zeros when there is none, or none that can be read."""
        try:
            return Version.read(self._path.read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError, Invalid):
            return Version(0, 0, 0)

    def save(self, version: Version) -> None:
        """Remember *version*. Raises ``Unavailable`` where it cannot be written."""
        try:
            write_atomically(self._path, f"{version}\n".encode(), 0o600)
        except OSError as error:
            raise _unavailable() from error


def _unavailable() -> Refusal:
    return Unavailable(
        "updates_unknown",
        tr("Whether there is a newer version could not be asked; it is asked again later."),
    )
