from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import person
from sidetone.client.consent import (
    HURRY_MS,
    LOST_MS,
    RENEWAL_MS,
    WORDS_MAX,
    Consents,
    Epoch,
    Verdict,
)
from sidetone.client.events import (
    ConsentAsked,
    ConsentChanged,
    Event,
    RecordingStarted,
    RecordingStopped,
)
from sidetone.e2ee import data
from sidetone.e2ee.actions import Participant
from sidetone.e2ee.data import RecordingState
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.media import Opened
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind
from sidetone.e2ee.trust import Shield
from sidetone.protocol.ids import UserId

NAMES = ("ada", "ben", "cam", "dee")
TICK_MS = 50


@dataclass
class Seat:
    """A device in the call: its state, and what its user was told."""

    identity: DeviceIdentity
    consents: Consents
    told: list[Event] = field(default_factory=list)
    counter: int = 0

    @property
    def user(self) -> UserId:
        return UserId(UUID(bytes=self.identity.user))


class Stage:
    """A call whose words travel at once, or get lost with a chance."""

    def __init__(self, *present: str, loss: float = 0.0, seed: int = 0) -> None:
        self.seats = {name: Seat(person(name), Consents(person(name))) for name in NAMES}
        self.now_ms = 0
        self.epoch = -1
        self.loss = loss
        self.random = Random(seed)
        self.present: tuple[str, ...] = ()
        self.begin(*present)

    def __getitem__(self, name: str) -> Consents:
        return self.seats[name].consents

    def begin(self, *present: str) -> None:
        """Begin an epoch with these in the roster."""
        self.epoch += 1
        self.present = present
        participants = tuple(
            Participant(NAMES.index(name), each.user, each.device, each.uik, each.dk, Shield.KNOWN)
            for name in present
            for each in [self.seats[name].identity]
        )
        for name in present:
            epoch = Epoch(self.epoch, bytes([self.epoch]) * 32, NAMES.index(name), participants)
            self.tell(name, self[name].epoch_began(epoch, self.now_ms))
        self.deliver()

    def tell(self, name: str, events: list[Event]) -> None:
        self.seats[name].told += events

    def do(self, name: str, action: str, *values: object) -> list[Event]:
        """Have the owner of a device do something, and return what they are told of it."""
        self.wait(TICK_MS)
        told: list[Event] = getattr(self[name], action)(*values, self.now_ms)
        self.tell(name, told)
        self.deliver()
        return told

    def deliver(self) -> None:
        """Carry what is said until nobody has more to say."""
        said = [(name, word) for name in self.present for word in self[name].outgoing(self.now_ms)]
        for name, word in said:
            self.seats[name].counter += 1
            opened = self.opened(name, word, self.seats[name].counter)
            for other in self.present:
                if other != name and self.random.random() >= self.loss:
                    self.tell(other, self[other].received(opened, self.now_ms))
        if said:
            self.deliver()

    def opened(self, name: str, word: bytes, counter: int) -> Opened:
        return Opened(
            NAMES.index(name), counter, word, MediaKind.DATA, end=False, low=0, epoch=self.epoch
        )

    def wait(self, ms: int) -> None:
        for _ in range(ms // TICK_MS):
            self.now_ms += TICK_MS
            for name in self.present:
                self.tell(name, self[name].tick(self.now_ms))
            self.deliver()

    def verdict(self, name: str, epoch: int | None = None) -> Verdict:
        return self[name].verdict(self.epoch if epoch is None else epoch, self.now_ms)

    def user(self, name: str) -> UserId:
        return self.seats[name].user

    def told(self, name: str, kind: type[Event]) -> list[Event]:
        return [event for event in self.seats[name].told if isinstance(event, kind)]


@pytest.fixture
def running() -> Stage:
    """Ada records; Ben and Cam agreed."""
    stage = Stage("ada", "ben", "cam")
    stage.do("ada", "ask")
    stage.do("ben", "agree", True)
    stage.do("cam", "agree", True)
    stage.do("ada", "start")
    return stage


def test_all_see_who_asks_and_nothing_is_recorded_before_all_agree() -> None:
    stage = Stage("ada", "ben", "cam")
    assert stage.do("ada", "ask") == [ConsentAsked(stage.user("ada"))]
    for name in ("ben", "cam"):
        assert stage.told(name, ConsentAsked) == [ConsentAsked(stage.user("ada"))]
    stage.do("ada", "start")
    stage.do("ben", "agree", True)
    assert ConsentChanged(stage.user("ben"), agrees=True) in stage.told("cam", ConsentChanged)
    assert stage["ada"].missing == (stage.user("cam"),)
    assert stage.verdict("ada") is Verdict.DROP
    assert not stage.told("ada", RecordingStarted)
    stage.do("cam", "agree", True)
    assert stage.verdict("ada") is Verdict.RECORD
    for name in ("ada", "ben", "cam"):
        assert stage.told(name, RecordingStarted) == [RecordingStarted(stage.user("ada"))]


def test_who_was_not_asked_says_nothing() -> None:
    stage = Stage("ada", "ben")
    assert stage.do("ben", "agree", True) == []
    stage.wait(3_000)
    assert stage["ben"].answer is None
    assert stage.seats["ben"].counter == stage.seats["ada"].counter == 0


def test_who_is_alone_may_record_once_they_asked() -> None:
    stage = Stage("ada")
    stage.do("ada", "start")
    assert stage.verdict("ada") is Verdict.DROP
    stage.do("ada", "ask")
    assert stage.verdict("ada") is Verdict.RECORD


def test_taking_consent_back_pauses_at_once_and_is_shown(running: Stage) -> None:
    running.do("cam", "agree", False)
    assert running.verdict("ada") is Verdict.DROP
    assert running.verdict("ada", running.epoch - 1) is Verdict.DROP
    paused = RecordingStopped(running.user("ada"), "paused")
    for name in ("ada", "ben", "cam"):
        assert paused in running.seats[name].told
    assert ConsentChanged(running.user("cam"), agrees=False) in running.seats["ben"].told
    running.do("cam", "agree", True)
    assert running.verdict("ada") is Verdict.RECORD
    assert len(running.told("ben", RecordingStarted)) == 2


def test_a_joiner_pauses_at_once_and_their_consent_lets_it_go_on(running: Stage) -> None:
    before = running.epoch
    running.begin("ada", "ben", "cam", "dee")
    assert running.verdict("ada") is Verdict.DROP
    assert running.verdict("ada", before) is Verdict.RECORD, "said before they came"
    assert RecordingStopped(running.user("ada"), "paused") in running.seats["ben"].told
    running.wait(500)
    assert running.told("dee", ConsentAsked) == [ConsentAsked(running.user("ada"))]
    running.wait(10_000)
    assert running.verdict("ada") is Verdict.DROP, "silence is a no"
    running.do("dee", "agree", True)
    assert running.verdict("ada") is Verdict.RECORD


def test_a_new_epoch_of_the_same_people_loses_nothing(running: Stage) -> None:
    before, told = running.epoch, len(running.seats["ben"].told)
    running.loss = 1.0
    running.begin("ada", "ben", "cam")
    assert running.verdict("ada") is Verdict.WAIT
    assert running.verdict("ada", before) is Verdict.RECORD
    running.loss = 0.0
    running.wait(500)
    assert running.verdict("ada") is Verdict.RECORD
    assert running.seats["ben"].told[told:] == []


def test_who_does_not_repeat_their_consent_pauses_the_recording(running: Stage) -> None:
    running.loss = 1.0
    running.begin("ada", "ben", "cam")
    running.wait(RENEWAL_MS)
    assert running.verdict("ada") is Verdict.DROP
    assert running.seats["ada"].told[-1] == RecordingStopped(running.user("ada"), "paused")


def test_an_epoch_that_begins_within_another_is_not_recorded_without_consent(
    running: Stage,
) -> None:
    running.loss = 1.0
    running.begin("ada", "ben", "cam")
    unsigned = running.epoch
    running.begin("ada", "ben", "cam")
    assert running.verdict("ada", unsigned) is not Verdict.RECORD


def test_an_epoch_that_is_not_known_yet_waits(running: Stage) -> None:
    assert running.verdict("ada", running.epoch + 1) is Verdict.WAIT
    running["ada"].left_room()
    assert running.verdict("ada", running.epoch) is Verdict.WAIT


def test_who_leaves_no_longer_has_a_say(running: Stage) -> None:
    running.do("cam", "agree", False)
    running.begin("ada", "ben")
    assert running.verdict("ada") is Verdict.RECORD


def test_who_comes_back_is_asked_anew(running: Stage) -> None:
    running.begin("ada", "ben")
    running["cam"].left_room()
    running.wait(1_000)
    assert running.verdict("ada") is Verdict.RECORD
    running.begin("ada", "ben", "dee")
    assert running.verdict("ada") is Verdict.DROP


def test_a_recorder_who_stops_leaves_or_is_lost_is_shown_as_such(running: Stage) -> None:
    running.do("ada", "stop", "stopped")
    assert running.seats["ben"].told[-1] == RecordingStopped(running.user("ada"), "stopped")

    running.do("ada", "ask")
    assert running["ben"].answer is None, "the next recording is asked for anew"
    assert len(running.told("ben", ConsentAsked)) == 2
    running.do("ben", "agree", True)
    running.do("cam", "agree", True)
    running.do("ada", "start")
    running.loss = 1.0
    running.wait(LOST_MS)
    assert RecordingStopped(running.user("ada"), "lost") in running.seats["ben"].told

    running.loss = 0.0
    running.wait(1_000)
    running.begin("ben", "cam")
    assert running.seats["cam"].told[-1] == RecordingStopped(running.user("ada"), "left")


def test_who_asks_no_more_is_shown_as_such_though_nothing_was_recorded(running: Stage) -> None:
    running.do("ada", "stop", "stopped")
    running.do("ada", "ask")
    running.do("ada", "stop", "stopped")
    stops = running.told("ben", RecordingStopped)
    assert len(stops) == 2
    assert running["ben"].answer is None


def test_a_no_of_the_recorder_ends_the_recording(running: Stage) -> None:
    running.do("ada", "agree", False)
    assert running["ada"].own is RecordingState.OFF
    assert running.verdict("ada") is Verdict.DROP


def test_two_may_record_and_consent_lasts_until_both_have_stopped(running: Stage) -> None:
    running.do("ben", "ask")
    assert running.told("cam", ConsentAsked)[-1] == ConsentAsked(running.user("ben"))
    running.do("ben", "start")
    running.do("ada", "stop", "stopped")
    assert running.verdict("ben") is Verdict.RECORD
    running.do("ben", "stop", "stopped")
    assert [running[name].answer for name in ("ada", "ben", "cam")] == [None] * 3


def test_words_of_others_or_of_another_epoch_are_not_believed(running: Stage) -> None:
    ben = running.seats["ben"]
    for transcript, sender in ((bytes(31) + b"x", 1), (bytes(32), 2)):
        signer = data.Signer(ben.identity.dk, transcript, sender)
        word = data.pack_consent(ben.identity, signer, agrees=False)
        with pytest.raises(Rejected, match="consent_signature"):
            running["ada"].received(running.opened("ben", word, 1_000 + sender), 0)
    assert running.verdict("ada") is Verdict.RECORD


def test_an_older_word_does_not_undo_a_newer_one(running: Stage) -> None:
    ben = running.seats["ben"]
    signer = data.Signer(ben.identity.dk, bytes(32), 1)
    words = [data.pack_consent(ben.identity, signer, agrees=agrees) for agrees in (True, False)]
    running["ada"].received(running.opened("ben", words[1], 1_001), 0)
    assert running["ada"].received(running.opened("ben", words[0], 1_000), 0) == []
    assert running.verdict("ada") is Verdict.DROP


def test_a_no_that_is_lost_is_repeated_soon(running: Stage) -> None:
    running.loss = 1.0
    running.do("cam", "agree", False)
    assert running.verdict("ada") is Verdict.RECORD
    running.loss = 0.0
    running.wait(HURRY_MS)
    assert running.verdict("ada") is Verdict.DROP


def test_a_flood_of_words_costs_few_signatures(running: Stage) -> None:
    running.wait(TICK_MS)
    word = bytes((data.CONSENT, 1)) + bytes(64)
    refused = 0
    for counter in range(2_000, 3_000):
        try:
            running["ada"].received(running.opened("ben", word, counter), running.now_ms)
        except Rejected:
            refused += 1
    assert refused == WORDS_MAX


def play(stage: Stage, name: str, act: str, *, said: bool) -> bool:
    """Have *name* do something; return whether they have last said yes, as *said* was before."""
    match act:
        case "yes" | "no":
            return act == "yes" if stage.do(name, "agree", act == "yes") else said
        case "stop":
            stage.do(name, "stop", "stopped")
        case "epoch":
            others = (each for each in NAMES if stage.random.random() < 0.8)
            stage.begin(*sorted({name, *others}))
        case "wait":
            stage.wait(1_500)
        case _:
            stage.do(name, act)
    return said or act == "ask"


@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.3]),
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(["ask", "yes", "no", "start", "stop", "epoch", "wait"]),
        ),
        max_size=25,
    ),
)
def test_nothing_is_recorded_without_everybodys_word_and_all_know_in_the_end(
    seed: int, loss: float, script: list[tuple[str, str]]
) -> None:
    stage = Stage(*NAMES, loss=loss, seed=seed)
    ever: set[str] = set()
    said: dict[str, bool] = {}
    for name, act in script:
        said[name] = play(stage, name, act, said=said.get(name, False))
        ever |= {each for each in said if said[each]}
        # A no may be lost on its way, and counts when it is repeated; a yes cannot be made up.
        agreed = ever if loss else {each for each in said if said[each]}
        for recorder in stage.present:
            assert stage.verdict(recorder) is not Verdict.RECORD or agreed.issuperset(
                stage.present
            )
    stage.loss = 0.0
    stage.begin(*NAMES)
    stage.wait(2 * LOST_MS)
    recorders = [name for name in NAMES if stage[name].own is RecordingState.RUNS]
    assert not recorders or all(stage[name].answer for name in NAMES)
    assert all(stage.verdict(name) is Verdict.RECORD for name in recorders)
