"""No key and nonce come twice, whatever restarts, rejoins or repeats."""

from libs.e2ee.tests.stage import Drawn, Trio, own, person
from sidetone.e2ee.frames import parse_header
from sidetone.e2ee.group import Group, create
from sidetone.e2ee.identity import DeviceIdentity, link_device
from sidetone.e2ee.media import Chain, Sealer, Stamp
from sidetone.e2ee.schedule import MediaKind


class Nonces:
    """A cipher that only remembers what it was asked to seal with."""

    def __init__(self) -> None:
        self.used = set[bytes]()
        self.keys = set[bytes]()

    def maker(self, key48: bytes) -> "Nonces.Key":
        assert key48 not in self.keys, "A key was made twice."
        self.keys.add(key48)
        return self.Key(self, key48)

    class Key:
        def __init__(self, nonces: "Nonces", key48: bytes) -> None:
            self._nonces = nonces
            self._prefix = key48

        def seal(self, header: bytes, plaintext: bytes) -> bytes:
            # Flags in the header's first byte change the nonce, so they must not hide a repeat.
            nonce = self._prefix + bytes([header[0] & 0xF0]) + header[1:]
            assert nonce not in self._nonces.used
            self._nonces.used.add(nonce)
            return header + plaintext + bytes(16)

        def open(self, frame: bytes) -> bytes | None:
            raise NotImplementedError

        def count_opened(self, frames: object) -> int:
            raise NotImplementedError


def speak(nonces: Nonces, group: Group, count: int) -> None:
    sender = group.own.package.sender
    for kind in MediaKind:
        chain = Chain(group.secrets.chains[sender, kind.value])
        voice = Sealer(chain, Stamp(kind, group.epoch, sender), nonces.maker)
        for turn in range(count):
            voice.seal(b"", turn & 7, end=bool(turn & 1))


def founded(identity: DeviceIdentity, leaf: bytes, random: Drawn) -> Group:
    return create(identity, own(identity, 0, leaf), random(16), random(32)).group


def test_a_million_frames_over_restarts_rejoins_devices_and_epochs_share_no_nonce() -> None:
    nonces, random = Nonces(), Drawn("leaves")
    alice = person("alice")
    laptop = link_device(alice, b"l" * 16, 0, Drawn("laptop"))
    count = 30_000
    # The room gives the same index and the same epoch number each time.
    for identity in (alice, alice, laptop):
        speak(nonces, founded(identity, random(32), random), count)
    # Even with the same randomness in the commit, the fresh leaf makes another key.
    for _ in range(3):
        speak(nonces, founded(alice, random(32), Drawn("stuck")), count)
    trio = Trio()
    for group in (trio.founded, trio.alice, trio.bob):
        speak(nonces, group, count)
    rolled_back = trio.advance(trio.alice, "carol")
    speak(nonces, rolled_back.group, count)
    again = trio.advance(trio.alice, "dave")
    speak(nonces, again.group, count)
    speak(nonces, trio.joined("dave", trio.alice, again), count)
    assert len(nonces.used) == 12 * 3 * count
    assert len(nonces.used) > 10**6


def test_counters_begin_at_zero_and_never_go_back() -> None:
    group = Trio().alice
    nonces = Nonces()
    voice = Sealer(Chain(group.secrets.chains[0, 0]), Stamp(MediaKind.AUDIO, 1, 0), nonces.maker)
    headers = [parse_header(voice.seal(b"opus")) for _ in range(20_000)]
    assert [header.counter for header in headers if header] == list(range(20_000))
