"""Mumble's server, and as much of a Mumble client as it takes to talk and to listen.

Control messages are protobuf over TLS; voice is sealed with OCB2-AES128 and goes over UDP. The
server is murmurd, from the package mumble-server, or where $MURMURD says.
"""

import os
import pwd
import random
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.load.udp_crowd import HOST, Watched, open_socket

PASSWORD: Final = "bench"
TALK: Final = 0x80

_VERSION, _TUNNEL, _AUTHENTICATE, _PING, _REJECT, _SYNC = 0, 1, 2, 3, 4, 5
_CHANNEL, _USER, _DENIED, _CRYPT = 7, 9, 12, 15
_UDP_PING = 0x20
_HEAD = struct.Struct(">HI")
_MASK = (1 << 128) - 1
_BLOCK = 16
_PATIENCE_SECONDS = 20
_STARTS_SECONDS = 20.0
_SETTINGS = """database={folder}/db.sqlite
host={host}
port={port}
bandwidth=1000000
users=1000
timeout=600
messageburst=100000
messagelimit=100000
autobanAttempts=0
bonjour=False
logdays=-1
dbus=
ice=
registerName=
welcometext=
serverpassword=
"""

Message = dict[int, int | bytes]


def find_server() -> str | None:
    """Return where murmurd is, or None."""
    named = os.environ.get("MURMURD") or shutil.which("murmurd") or "/usr/sbin/murmurd"
    return named if Path(named).exists() else None


# --- protobuf, just enough of it ---


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _packed(fields: dict[int, int | str | bytes]) -> bytes:
    out = b""
    for key, value in fields.items():
        if isinstance(value, int):
            out += _number(key << 3) + _number(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += _number(key << 3 | 2) + _number(len(data)) + data
    return out


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _unpacked(data: bytes) -> Message:
    fields: Message = {}
    at = 0
    while at < len(data):
        key, at = _read_number(data, at)
        if key & 7 == 0:
            fields[key >> 3], at = _read_number(data, at)
            continue
        size, at = _read_number(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
        fields[key >> 3] = data[at : at + size]
        at += size
    return fields


# --- numbers in voice packets ---


def voice_number(value: int) -> bytes:
    """Write a number as voice packets have it."""
    if value < 0x80:
        return bytes([value])
    if value < 0x4000:
        return bytes([0x80 | value >> 8, value & 255])
    if value < 0x200000:
        return bytes([0xC0 | value >> 16, value >> 8 & 255, value & 255])
    return bytes([0xE0 | value >> 24]) + (value & 0xFFFFFF).to_bytes(3, "big")


def read_voice_number(data: bytes, at: int) -> tuple[int, int]:
    """Read what `voice_number` writes; returns it and the offset after it."""
    first = data[at]
    length = 1 if first < 0x80 else 2 if first < 0xC0 else 3 if first < 0xE0 else 4
    kept = {1: 0x7F, 2: 0x3F, 3: 0x1F, 4: 0x0F}[length]
    rest = int.from_bytes(data[at + 1 : at + length], "big")
    return (first & kept) << 8 * (length - 1) | rest, at + length


class Ocb2:
    """Rogaway's OCB2.0 with AES-128."""

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES(key), modes.ECB())
        self._seal, self._open = cipher.encryptor().update, cipher.decryptor().update

    def seal(self, nonce: bytes, text: bytes) -> tuple[bytes, bytes]:
        """Return what is sealed, and its tag."""
        return self._crypt(nonce, text, self._encrypted, opens=False)

    def open(self, nonce: bytes, sealed: bytes) -> tuple[bytes, bytes]:
        """Return the text, and the tag that it should have come with."""
        return self._crypt(nonce, sealed, self._decrypted, opens=True)

    def _crypt(
        self, nonce: bytes, data: bytes, block: Callable[[int], int], *, opens: bool
    ) -> tuple[bytes, bytes]:
        delta, total, out = self._encrypted(int.from_bytes(nonce, "big")), 0, b""
        whole = (len(data) - 1) // _BLOCK * _BLOCK if data else 0
        for at in range(0, whole, _BLOCK):
            delta = _doubled(delta)
            taken = int.from_bytes(data[at : at + _BLOCK], "big")
            made = delta ^ block(delta ^ taken)
            total ^= made if opens else taken
            out += made.to_bytes(_BLOCK, "big")
        tail = data[whole:]
        delta = _doubled(delta)
        pad = self._encrypted(len(tail) * 8 ^ delta).to_bytes(_BLOCK, "big")
        last = bytes(a ^ b for a, b in zip(tail, pad, strict=False))
        total ^= int.from_bytes((last if opens else tail) + pad[len(tail) :], "big")
        tag = self._encrypted(delta ^ _doubled(delta) ^ total)
        return out + last, tag.to_bytes(_BLOCK, "big")

    def _encrypted(self, block: int) -> int:
        return int.from_bytes(self._seal(block.to_bytes(_BLOCK, "big")), "big")

    def _decrypted(self, block: int) -> int:
        return int.from_bytes(self._open(block.to_bytes(_BLOCK, "big")), "big")


def _doubled(value: int) -> int:
    return (value << 1 & _MASK) ^ (0x87 if value >> 127 else 0)


class User:
    """Somebody who is connected, by TLS and by UDP."""

    def __init__(self, port: int, name: str, password: str = "") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((HOST, port), timeout=_PATIENCE_SECONDS)
        self.tls = context.wrap_socket(plain)
        self.tunnelled = 0
        self._pending = b""
        self.send(_VERSION, {1: 1 << 16 | 3 << 8 | 4, 2: "bench"})
        self.send(_AUTHENTICATE, {1: name, 2: password, 5: 1})
        keys = self.told(_CRYPT)
        self.session = int(self.told(_SYNC)[1])
        self._cipher = Ocb2(bytes(keys[1]))  # pyright: ignore[reportArgumentType]
        self._out, self._in = (
            int.from_bytes(bytes(keys[k]), "little")  # pyright: ignore[reportArgumentType]
            for k in (2, 3)
        )
        self.counter = 0
        self.udp = open_socket(port)

    def send(self, kind: int, fields: dict[int, int | str | bytes]) -> None:
        """Send a control message."""
        body = _packed(fields)
        self.tls.sendall(_HEAD.pack(kind, len(body)) + body)

    def told(self, wanted: int, suits: Callable[[Message], bool] = lambda _: True) -> Message:
        """Return the next control message of a kind that *suits*."""
        while True:
            for kind, body in self._messages():
                if kind == wanted and suits(message := _unpacked(body)):
                    return message
            chunk = self.tls.recv(65536)
            if not chunk:
                raise RuntimeError("murmurd has closed the connection")
            self._pending += chunk

    def tend(self) -> None:
        """Read over what was told meanwhile, and say that we live."""
        self.tls.settimeout(0)
        try:
            while chunk := self.tls.recv(65536):
                self._pending += chunk
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        self.tls.settimeout(_PATIENCE_SECONDS)
        for _ in self._messages():
            pass
        self.send(_PING, {1: 1})

    def make_channel(self, name: str) -> int:
        """Make a channel and return its number."""
        self.send(_CHANNEL, {2: 0, 3: name})
        made = self.told(_CHANNEL, lambda message: message.get(3) == name.encode())
        return int(made[1])

    def enter(self, channel: int) -> None:
        """Go to *channel*, and have voice come by UDP from now on."""
        self.send(_USER, {1: self.session, 5: channel})
        self.told(_USER, lambda told: told.get(1) == self.session and told.get(5) == channel)
        ping = bytes([_UDP_PING]) + voice_number(random.getrandbits(27))
        self.udp.settimeout(3)
        self.udp.send(self.sealed(ping))
        if self.opened(self.udp.recv(512), 1) != ping:
            raise RuntimeError("murmurd does not answer a ping over UDP")
        self.udp.setblocking(False)

    def said(self, opus: bytes) -> bytes:
        """Return the next voice packet, sealed; frames are counted in steps of 10 ms."""
        self.counter += 2
        head = bytes([TALK]) + voice_number(self.counter) + voice_number(len(opus))
        return self.sealed(head + opus)

    def sealed(self, text: bytes) -> bytes:
        """Seal a packet: one byte of the nonce, three of the tag, what is sealed."""
        self._out = (self._out + 1) & _MASK
        nonce = self._out.to_bytes(_BLOCK, "little")
        body, tag = self._cipher.seal(nonce, text)
        return nonce[:1] + tag[:3] + body

    def opened(self, packet: bytes, near: int) -> bytes | None:
        """Open a packet; *near* is how many have come with it, to within 127."""
        count = self._in + near & _MASK
        count += (packet[0] - count + 128) % 256 - 128
        text, tag = self._cipher.open(count.to_bytes(_BLOCK, "little"), packet[4:])
        return text if tag[:3] == packet[1:4] else None

    def close(self) -> None:
        """Be gone."""
        self.tls.close()
        self.udp.close()

    def _messages(self) -> Generator[tuple[int, bytes]]:
        while len(self._pending) >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._pending)
            if len(self._pending) < _HEAD.size + size:
                return
            body = self._pending[_HEAD.size : _HEAD.size + size]
            self._pending = self._pending[_HEAD.size + size :]
            if kind in (_REJECT, _DENIED):
                raise RuntimeError(f"murmurd refuses: {_unpacked(body)}")
            if kind == _TUNNEL:
                self.tunnelled += 1
            else:
                yield kind, body


@contextmanager
def murmurd(binary: str) -> Generator[tuple[Watched, int]]:
    """Run a server of our own; gives its process and its port."""
    with tempfile.TemporaryDirectory(prefix="murmurd-") as name:
        folder, port = Path(name), _free_port()
        if os.geteuid() == 0:
            # It becomes this user before it opens its database.
            os.chown(folder, pwd.getpwnam("mumble-server").pw_uid, -1)
            folder.chmod(0o755)
        settings = folder / "murmur.ini"
        settings.write_text(_SETTINGS.format(folder=folder, host=HOST, port=port))
        with (folder / "murmur.log").open("wb") as log:
            # Sets the password of the one who may make channels, and ends.
            arguments = [binary, "-ini", str(settings), "-supw", PASSWORD]
            subprocess.run(arguments, timeout=60, stdout=log, stderr=log, check=False)
            process = subprocess.Popen(
                [binary, "-fg", "-ini", str(settings)], stdout=log, stderr=log
            )
            try:
                _wait_for(process, port)
                yield Watched(process.pid), port
            finally:
                process.kill()
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _STARTS_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("murmurd does not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
