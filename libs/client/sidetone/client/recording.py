"""Keeps what each user of a call was heard to say."""

from sidetone.audio import Frame
from sidetone.audio.tracks import Track
from sidetone.protocol.ids import UserId

_NS_PER_MS = 1_000_000


class Recording:
    """A ``hear`` callback that appends each user's frames to a track of their own."""

    def __init__(self, seconds_max: float = 120.0) -> None:
        self._seconds_max = seconds_max
        self._tracks: dict[UserId, Track] = {}

    def __call__(self, user: UserId, frame: Frame, now_ms: float) -> None:
        """Keep one frame; runs on the audio thread."""
        self.of(user).append(frame, int(now_ms * _NS_PER_MS))

    def of(self, user: UserId) -> Track:
        """Return the track of *user*, empty until they are heard."""
        return self._tracks.setdefault(user, Track(self._seconds_max))
