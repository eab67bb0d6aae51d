"""Who agrees to be recorded, and who records: one call's state, without I/O or clock.

Each device says so in signed words for one epoch (`e2ee.data`). Words travel as datagrams and may
be lost, so whoever has something to say repeats it every second while it matters, and quickly at
first. A recording runs
only while every device in the cryptographic roster agrees; consent is for the call, whoever
records it, and ends when nobody asks or records any more.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from sidetone.client.events import (
    ConsentAsked,
    ConsentChanged,
    Event,
    RecordingStarted,
    RecordingStopped,
)
from sidetone.e2ee import data
from sidetone.e2ee.actions import Participant
from sidetone.e2ee.data import RecordingState, Signer
from sidetone.e2ee.epochs import SWITCH_MS
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.media import Opened
from sidetone.protocol.ids import UserId

REPEAT_MS: Final = 1_000
HURRY_MS: Final = 100
HURRIED_MS: Final = SWITCH_MS + HURRY_MS
"""News is repeated quickly for so long: it may be lost, and a joiner opens nothing before then."""
LOST_MS: Final = 5_000
"""A recorder who has not been heard of for this long records no longer."""
RENEWAL_MS: Final = 2_000
"""For how long a new epoch waits for the consents of those who had agreed in the one before."""
WORDS_MAX: Final = 10
"""Of one sender in a quarter of a second: each costs the check of a signature."""
_WINDOW_MS: Final = 250


class Verdict(Enum):
    """What becomes of what was said in an epoch."""

    RECORD = "record"
    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Epoch:
    """The group at one moment: what words are signed over, and whose are needed."""

    number: int
    transcript: bytes
    sender: int
    participants: tuple[Participant, ...]


@dataclass(slots=True)
class _Other:
    """What another device has said; *signed* in this epoch, or only in one before."""

    user: UserId
    agrees: bool | None = None
    signed: bool = False
    recording: RecordingState = RecordingState.OFF
    heard_ms: int = 0


class Consents:
    """The words of all devices of one call, our own included.

    Everything that is told returns the events it causes; what is to be sent waits in `outgoing`.
    """

    def __init__(self, identity: DeviceIdentity) -> None:
        self.answer: bool | None = None
        self.own = RecordingState.OFF
        self._identity = identity
        self._user = UserId(UUID(bytes=identity.user))
        self._epoch: Epoch | None = None
        self._began_ms = 0
        self._before: int | None = None
        self._others: dict[bytes, _Other] = {}
        self._newest: dict[tuple[int, int], tuple[int, int]] = {}
        self._words: Counter[int] = Counter()
        self._words_since_ms = 0
        self._wanted = False
        self._say_at_ms = self._hurries_until_ms = 0
        self._farewell_until_ms = 0

    # --- the group ---

    def epoch_began(self, epoch: Epoch, now_ms: int) -> list[Event]:
        """Forget the signatures of the epoch before, and who is gone; say our own words anew."""
        self._before = self._epoch.number if self._epoch and self._complete() else None
        self._epoch = epoch
        self._began_ms = now_ms
        self._hurry(now_ms)
        present = {each.device: each for each in epoch.participants if each.sender != epoch.sender}
        gone = [self._others[device] for device in self._others if device not in present]
        self._others = {
            device: self._others.get(device) or _Other(UserId(UUID(bytes=each.user)))
            for device, each in present.items()
        }
        for other in self._others.values():
            other.signed = False
        left: list[Event] = [
            RecordingStopped(other.user, "left")
            for other in gone
            if other.recording is RecordingState.RUNS
        ]
        return left + self._settle(now_ms)

    def left_room(self) -> None:
        """Be in no epoch until the next begins: nothing is said or recorded in between."""
        self._epoch = self._before = None
        self._newest.clear()

    def verdict(self, epoch: int | None, now_ms: int) -> Verdict:
        """Say what becomes of what was said in *epoch*, or just now where that is None.

        An epoch that is not known here yet waits: its commit is on the way. One no longer known is
        over by more than the frames' 2 s, and whoever waits for it gives up by then.
        """
        if self._refused():
            return Verdict.DROP
        if epoch is not None and epoch == self._before:
            return Verdict.RECORD
        if self._epoch is None or epoch not in (None, self._epoch.number):
            return Verdict.WAIT
        if self._complete():
            return Verdict.RECORD
        renewing = all(other.agrees for other in self._others.values())
        in_time = now_ms - self._began_ms < RENEWAL_MS
        return Verdict.WAIT if renewing and in_time else Verdict.DROP

    @property
    def missing(self) -> tuple[UserId, ...]:
        """Who has not agreed in this epoch."""
        return tuple(other.user for other in self._others.values() if not self._agreed(other))

    # --- what the owner does ---

    def ask(self, now_ms: int) -> list[Event]:
        """Ask everybody; who asks agrees."""
        self.answer = True
        self._hurry(now_ms)
        if self.own is RecordingState.OFF:
            self.own = RecordingState.ASKS
            return [ConsentAsked(self._user)]
        return []

    def agree(self, agrees: bool, now_ms: int) -> list[Event]:  # noqa: FBT001 - the answer
        """Answer, or take an answer back; a no ends what we record ourselves as well."""
        if self.answer == agrees or not self._anybody_records():
            return []
        self.answer = agrees
        self._hurry(now_ms)
        changed: list[Event] = [ConsentChanged(self._user, agrees)]
        return changed if agrees else changed + self.stop("stopped", now_ms)

    def start(self, now_ms: int) -> list[Event]:
        """Record from now on, whenever all agree."""
        self._wanted = True
        return self._settle(now_ms)

    def stop(self, reason: str, now_ms: int) -> list[Event]:
        """Neither ask nor record any more."""
        if self.own is RecordingState.OFF:
            return []
        ran = self.own is RecordingState.RUNS
        self.own = RecordingState.OFF
        self._wanted = False
        self._hurry(now_ms)
        self._farewell_until_ms = now_ms + LOST_MS
        self._forget_answers()
        return [RecordingStopped(self._user, reason)] if ran else []

    # --- what others say ---

    def received(self, opened: Opened, now_ms: int) -> list[Event]:
        """Take a word of another device; raises ``Rejected`` for one that is not signed.

        Words of another epoch than ours are not valid here; they will be repeated.
        """
        epoch = self._epoch
        speaker = self._speaker(opened.sender)
        if epoch is None or speaker is None or not self._is_news(opened, now_ms):
            return []
        other = self._others[speaker.device]
        signer = Signer(speaker.dk, epoch.transcript, speaker.sender)
        if data.packet_type(opened.payload) == data.CONSENT:
            if not self._anybody_records():
                return []
            changed = self._consented(other, data.parse_consent(opened.payload, signer))
        else:
            state = data.parse_recording(opened.payload, signer)
            changed = self._told(other, state, now_ms)
        return changed + self._settle(now_ms)

    def tick(self, now_ms: int) -> list[Event]:
        """Notice what time has changed; call it a few times a second."""
        events: list[Event] = []
        for other in self._others.values():
            records = other.recording is not RecordingState.OFF
            if records and now_ms - other.heard_ms >= LOST_MS:
                events += self._turned(other, RecordingState.OFF, "lost")
        return events + self._settle(now_ms)

    def outgoing(self, now_ms: int) -> list[bytes]:
        """Return the words that are to be sent to everybody now; call it after everything else."""
        epoch = self._epoch
        if epoch is None or now_ms < self._say_at_ms:
            return []
        hurries = now_ms < self._hurries_until_ms
        self._say_at_ms = now_ms + (HURRY_MS if hurries else REPEAT_MS)
        signer = Signer(self._identity.dk, epoch.transcript, epoch.sender)
        words: list[bytes] = []
        if self.answer is not None:
            words.append(data.pack_consent(self._identity, signer, agrees=self.answer))
        if self.own is not RecordingState.OFF or now_ms < self._farewell_until_ms:
            words.append(data.pack_recording(self._identity, signer, self.own))
        return words

    # --- inside ---

    def _hurry(self, now_ms: int) -> None:
        """Say our words at once, and again soon: there is news in them."""
        self._say_at_ms = now_ms
        self._hurries_until_ms = now_ms + HURRIED_MS

    def _agreed(self, other: _Other) -> bool:
        return other.agrees is True and other.signed

    def _complete(self) -> bool:
        return not self._refused() and all(self._agreed(each) for each in self._others.values())

    def _refused(self) -> bool:
        said = (other.agrees for other in self._others.values())
        return self.answer is not True or False in said

    def _speaker(self, sender: int) -> Participant | None:
        if self._epoch is None or sender == self._epoch.sender:
            return None
        return next((each for each in self._epoch.participants if each.sender == sender), None)

    def _is_news(self, opened: Opened, now_ms: int) -> bool:
        """Tell whether this word is newer than the last one of its kind, and not one too many."""
        kind = data.packet_type(opened.payload) or 0
        place = (opened.epoch, opened.counter)
        if place <= self._newest.get((opened.sender, kind), (-1, -1)):
            return False
        if now_ms - self._words_since_ms >= _WINDOW_MS:
            self._words_since_ms = now_ms
            self._words.clear()
        self._words[opened.sender] += 1
        if self._words[opened.sender] > WORDS_MAX:
            return False
        self._newest[opened.sender, kind] = place
        return True

    def _consented(self, other: _Other, agrees: bool) -> list[Event]:  # noqa: FBT001
        news = other.agrees is not agrees
        other.agrees = agrees
        other.signed = True
        return [ConsentChanged(other.user, agrees)] if news else []

    def _told(self, other: _Other, state: RecordingState, now_ms: int) -> list[Event]:
        other.heard_ms = now_ms
        reason = "paused" if state is RecordingState.ASKS else "stopped"
        return self._turned(other, state, reason)

    def _turned(self, other: _Other, state: RecordingState, reason: str) -> list[Event]:
        before, other.recording = other.recording, state
        if before is state:
            return []
        events: list[Event] = []
        if before is RecordingState.OFF:
            events.append(ConsentAsked(other.user))
        if before is RecordingState.RUNS or state is RecordingState.OFF:
            events.append(RecordingStopped(other.user, reason))
        if state is RecordingState.RUNS:
            events.append(RecordingStarted(other.user))
        return events

    def _settle(self, now_ms: int) -> list[Event]:
        """Let our own recording run or pause, as the others' words allow."""
        self._forget_answers()
        if not self._wanted or self._epoch is None:
            return []
        runs = self.verdict(self._epoch.number, now_ms) is not Verdict.DROP
        state = RecordingState.RUNS if runs else RecordingState.ASKS
        before, self.own = self.own, state
        if before is state:
            return []
        self._hurry(now_ms)
        if runs:
            return [RecordingStarted(self._user)]
        paused: list[Event] = [RecordingStopped(self._user, "paused")]
        return paused if before is RecordingState.RUNS else []

    def _anybody_records(self) -> bool:
        others = (other.recording for other in self._others.values())
        return any(state is not RecordingState.OFF for state in (self.own, *others))

    def _forget_answers(self) -> None:
        """Let consent end with the last recording: the next one is asked for anew."""
        if not self._anybody_records():
            self.answer = None
            for other in self._others.values():
                other.agrees, other.signed = None, False
