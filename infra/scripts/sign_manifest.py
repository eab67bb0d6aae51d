r"""Write the signed manifest of a release, from which clients learn that there is a newer version.

    python infra/scripts/sign_manifest.py new-key release.key
    python infra/scripts/sign_manifest.py sign update.manifest --version 1.2.0 --minimum 1.0.0 \
        --package linux-x86_64 dist/sidetone.tar.gz https://example.org/sidetone.tar.gz

The key (32 bytes in base64) is read from the file that ``SIDETONE_RELEASE_KEY_FILE`` names, or
from ``SIDETONE_RELEASE_KEY``; it is never an argument, which other users of a machine can see.
"""

import argparse
import base64
import binascii
import hashlib
import os
import secrets
import sys
import time
from pathlib import Path

import msgspec
from nacl import bindings

from sidetone.desktop.domain.updates import Manifest, Package, Version, opened, sealed
from sidetone.protocol.refusals import Invalid

DAYS = 60
_DAY_MS = 86_400_000
_KEY_BYTES = 32


def main(arguments: list[str]) -> None:
    """Do what *arguments* ask; what is wrong with them is one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    new_key = commands.add_parser("new-key", help="make a key, and print its public half")
    new_key.add_argument("file", type=Path)
    sign = commands.add_parser("sign", help="write a manifest")
    sign.add_argument("file", type=Path)
    sign.add_argument("--version", required=True)
    sign.add_argument("--minimum", required=True, help="older ones are told to be unsafe")
    sign.add_argument("--notes", type=Path, help="a text file of at most 2,000 characters")
    sign.add_argument("--days", type=int, default=DAYS, help="for how long it holds")
    sign.add_argument(
        "--package", nargs=3, action="append", default=[], metavar=("PLATFORM", "FILE", "URL")
    )
    wish = parser.parse_args(arguments)
    try:
        print(make_key(wish.file) if wish.command == "new-key" else write_manifest(wish))
    except (Invalid, OSError, ValueError) as error:
        sys.exit(f"{error}")


def make_key(file: Path) -> str:
    """Write a new key to *file*, for its owner alone, and return the public one in base64."""
    seed = secrets.token_bytes(_KEY_BYTES)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as key:
        key.write(base64.b64encode(seed) + b"\n")
    return base64.b64encode(_public(seed)).decode()


def write_manifest(wish: argparse.Namespace) -> str:
    """Write and check the manifest that *wish* describes, and return a line about it."""
    if Version.read(wish.minimum) > Version.read(wish.version):
        raise ValueError("the minimum version is newer than the version itself")
    packages = {name: _package(Path(file), url) for name, file, url in wish.package}
    notes = wish.notes.read_text(encoding="utf-8") if wish.notes else ""
    expires_ms = time.time_ns() // 1_000_000 + wish.days * _DAY_MS
    manifest = Manifest(wish.version, wish.minimum, expires_ms, packages, notes)
    seed = _seed()
    file = sealed(msgspec.convert(msgspec.to_builtins(manifest), Manifest), seed)
    # What clients would not take must not be published.
    opened(file, _public(seed))
    wish.file.write_bytes(file)
    return f"{wish.file}: version {wish.version} for {', '.join(packages)}, {wish.days} days"


def _package(file: Path, url: str) -> Package:
    content = file.read_bytes()
    return Package(url, hashlib.sha256(content).hexdigest(), len(content))


def _seed() -> bytes:
    path = os.environ.get("SIDETONE_RELEASE_KEY_FILE")
    text = Path(path).read_text() if path else os.environ.get("SIDETONE_RELEASE_KEY", "")
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        seed = b""
    if len(seed) != _KEY_BYTES:
        raise ValueError(
            "the key to sign with must be 32 bytes in base64: set SIDETONE_RELEASE_KEY_FILE"
        )
    return seed


def _public(seed: bytes) -> bytes:
    return bindings.crypto_sign_seed_keypair(seed)[0]


if __name__ == "__main__":
    main(sys.argv[1:])
