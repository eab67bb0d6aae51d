"""Whether there is a newer version, by a manifest that only the holder of one key can write.

The file is a line that names the format, a line with an Ed25519 signature (RFC 8032) in base64,
and the manifest as JSON. What is signed is the format's line and the manifest's bytes as they lie
there, so that nothing has to be made canonical before it is checked, and nothing is read before.
A manifest ends after a while, and none may name an older version than was seen before: whoever
holds back or repeats old ones is noticed. Nothing is ever installed: an offer is words and a link.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec
from nacl import bindings, exceptions
from typing_extensions import override

from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Invalid, Unavailable

SIZE_MAX: Final = 65_536
_FORMAT: Final = b"sidetone update manifest 1\n"
_NUMBERS: Final = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")

_VersionText = Annotated[str, msgspec.Meta(pattern=f"^{_NUMBERS.pattern}$")]


class Version(NamedTuple):
    """The number of a version; later ones are greater.

    >>> Version.read("1.10.0") > Version.read("1.9.7")
    True
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, text: str) -> "Version":
        """Read ``1.2.3``. Raises ``Invalid`` for everything else."""
        numbers = _NUMBERS.fullmatch(text)
        if numbers is None:
            raise Invalid("version_invalid", "a version is three numbers, such as 1.2.3")
        return cls(*map(int, numbers.groups()))

    @override
    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Package(msgspec.Struct, frozen=True):
    """What to download for one platform: its SHA-256 in hex, its size in bytes."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https://[!-~]+$", max_length=500)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(gt=0, le=1 << 33)]


class Manifest(msgspec.Struct, frozen=True):
    """The newest version, until when that holds, and which versions are too old to go on with."""

    version: _VersionText
    minimum_version: _VersionText
    expires_ms: int
    packages: Annotated[
        Mapping[Annotated[str, msgspec.Meta(max_length=50)], Package], msgspec.Meta(max_length=20)
    ]
    notes: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class Offer(msgspec.Struct, frozen=True):
    """A newer version: the banner's *text*, and what its button opens.

    *urgent*: the installed version is too old to go on with.
    """

    version: Version
    text: str
    notes: str
    package: Package
    urgent: bool


def sealed(manifest: Manifest, seed: bytes) -> bytes:
    """Return the file of *manifest*, signed by the key of *seed* (32 bytes)."""
    payload = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2)
    _, secret_key = bindings.crypto_sign_seed_keypair(seed)
    signature = bindings.crypto_sign(_FORMAT + payload, secret_key)[: bindings.crypto_sign_BYTES]
    return _FORMAT + base64.b64encode(signature) + b"\n" + payload


def opened(file: bytes, public_key: bytes) -> Manifest:
    """Return the manifest in *file* if the holder of *public_key* (32 bytes) wrote it.

    Raises ``Invalid`` for every other file, before anything in it is read.
    """
    try:
        if len(file) > SIZE_MAX or not file.startswith(_FORMAT):
            raise _forged()
        signature, newline, payload = file.removeprefix(_FORMAT).partition(b"\n")
        signed = base64.b64decode(signature, validate=True)
        if not newline or len(signed) != bindings.crypto_sign_BYTES:
            raise _forged()
        bindings.crypto_sign_open(signed + _FORMAT + payload, public_key)
        return msgspec.json.decode(payload, type=Manifest)
    except (binascii.Error, exceptions.BadSignatureError, msgspec.DecodeError):
        raise _forged() from None


def newest(manifest: Manifest, seen: Version, now_ms: int) -> Version:
    """Return the version that *manifest* names, which is to be remembered as *seen*.

    Raises ``Unavailable`` when the manifest has ended, ``Invalid`` when it goes back.
    """
    if manifest.expires_ms <= now_ms:
        raise Unavailable(
            "updates_stale",
            tr(
                "Whether there is a newer version cannot be said: what the update server tells "
                "is out of date. Look at the project's page, and check this machine's clock."
            ),
        )
    version = Version.read(manifest.version)
    if version < seen:
        raise Invalid(
            "updates_rolled_back",
            tr("The update server names an older version than before; it was not believed."),
        )
    return version


def offer(manifest: Manifest, installed: Version, platform: str) -> Offer | None:
    """Return what to tell the user of *installed*, None where they have the newest."""
    version = Version.read(manifest.version)
    package = manifest.packages.get(platform)
    if version <= installed or package is None:
        return None
    urgent = installed < Version.read(manifest.minimum_version)
    text = (
        tr("This version is too old for safe use: get Sidetone {version} now.", version=version)
        if urgent
        else tr("Sidetone {version} is there.", version=version)
    )
    return Offer(version, text, manifest.notes, package, urgent)


def _forged() -> Invalid:
    return Invalid(
        "updates_forged",
        tr("The update server's answer is not signed by the project; it was not believed."),
    )
