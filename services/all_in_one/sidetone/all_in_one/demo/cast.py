"""The members of the demo: accounts, devices that are files, and what was said and heard."""

from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from sidetone.all_in_one.demo.proof import KeyName
from sidetone.audio import Frame
from sidetone.audio.devices import FileMicrophone, FileSpeaker
from sidetone.audio.tracks import Track
from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.client.events import EpochStarted
from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol.ids import ChannelId, UserId

SPEECH = Path(__file__).parent / "speech"
# A demo longer than this keeps the sound of its last ten minutes for the measurements.
TRACK_SECONDS_MAX = 600


class Actor:
    """One member; who has *speech* speaks it over and over, the others are silent."""

    def __init__(self, name: str, client: Client, speech: Path | None, ear: Path) -> None:
        self.name = name
        self.client = client
        self.spoken = Track(TRACK_SECONDS_MAX)
        self.heard: defaultdict[UserId, Track] = defaultdict(lambda: Track(TRACK_SECONDS_MAX))
        # Read now: a file that is read and resampled during a call delays everybody's sound.
        self._microphone = FileMicrophone(speech, loop=True, track=self.spoken) if speech else None
        self._ear = ear

    @property
    def user(self) -> UserId:
        """The account's id."""
        return self.client.user.id

    def join(self, channel: ChannelId) -> AbstractAsyncContextManager[Call]:
        """Join the call with file devices: the speech in, what is heard out to a WAV file."""
        return self.client.join_voice(
            channel, microphone=self._microphone, speaker=FileSpeaker(self._ear), hear=self._hear
        )

    def _hear(self, user: UserId, frame: Frame, now_ms: float) -> None:
        self.heard[user].append(frame, int(now_ms * 1e6))


class KeyRing:
    """The frame keys that one member had, epoch by epoch: what the proof tries as a member."""

    def __init__(self) -> None:
        self.keys: defaultdict[KeyName, set[bytes]] = defaultdict(set)

    async def follow(self, call: Call) -> None:
        """Note the keys of every epoch of *call* from now on."""
        self.note(call)
        async for event in call.events():
            if isinstance(event, EpochStarted):
                self.note(call)

    def note(self, call: Call) -> None:
        """Note the audio keys of the newest epoch of *call*, in their present generation."""
        if call.epoch is None:
            return
        for member in call.participants:
            key = call.member.frame_key(member.sender, MediaKind.AUDIO)
            self.keys[(call.epoch % 256, member.sender, MediaKind.AUDIO)].add(key)
