"""Who watches whom, by examples and at random: layers, keyframes, and asking for them."""

from collections import defaultdict
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sidetone.protocol.ids import Sender
from sidetone.voice_sfu.domain.video import (
    KEYFRAME_GAP_SECONDS,
    LAYER_GONE_SECONDS,
    LAYERS_MAX,
    REST_SECONDS_MAX,
    Ask,
    Start,
    Video,
)

ANN, BEN, CEM = Sender(0), Sender(1), Sender(2)
MEMBERS = (ANN, BEN, CEM, Sender(3))


class Screen:
    """Ann's screen, frame by frame, each on its next stream."""

    def __init__(self) -> None:
        self.video = Video()
        self.streams = 0

    def frame(self, now: float, layer: int = 0, *, keyframe: bool = False) -> Start:
        self.streams += 4
        return self.video.start(ANN, self.streams, layer, now, keyframe=keyframe)

    def viewers(self, now: float, layer: int = 0, *, keyframe: bool = False) -> tuple[Sender, ...]:
        return self.frame(now, layer, keyframe=keyframe).viewers


def test_a_viewer_begins_at_a_keyframe() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 0}, 0.0)
    first = screen.frame(0.0)
    assert first == Start((), (Ask(ANN, 0),))
    assert screen.viewers(0.1) == ()
    assert screen.viewers(0.2, keyframe=True) == (BEN,)
    assert screen.viewers(0.3) == (BEN,)


def test_who_comes_to_a_running_show_has_a_keyframe_asked_for_at_once() -> None:
    screen = Screen()
    screen.frame(0.0, keyframe=True)
    assert screen.video.watch(BEN, {ANN: 3}, 5.0).asks == (Ask(ANN, 0),)
    assert screen.video.watch(CEM, {ANN: 3}, 5.1).asks == ()
    assert screen.video.handle_timer(5.5) == ()
    assert screen.video.handle_timer(6.0) == (Ask(ANN, 0),)


def test_a_keyframe_answers_everybody_who_waits() -> None:
    screen = Screen()
    screen.frame(0.0, keyframe=True)
    for viewer in (BEN, CEM):
        screen.video.watch(viewer, {ANN: 0}, 1.0)
    assert screen.viewers(1.2, keyframe=True) == (BEN, CEM)
    assert screen.video.handle_timer(9.0) == ()


def test_of_the_layers_that_are_sent_the_highest_wanted_is_shown() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 1}, 0.0)
    screen.video.watch(CEM, {ANN: 3}, 0.0)
    assert screen.viewers(0.0, 0, keyframe=True) == (BEN, CEM)
    assert screen.viewers(0.0, 1, keyframe=True) == (BEN, CEM)
    assert screen.viewers(0.0, 2, keyframe=True) == (CEM,)
    assert [screen.viewers(0.1, layer) for layer in (0, 1, 2)] == [(), (BEN,), (CEM,)]


def test_a_layer_that_is_sent_no_more_makes_room_for_a_lower_one() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 1}, 0.0)
    screen.viewers(0.0, 0, keyframe=True)
    assert screen.viewers(0.0, 1, keyframe=True) == (BEN,)
    at = LAYER_GONE_SECONDS + 0.1
    assert screen.frame(at, 0).asks == (Ask(ANN, 0),)
    assert screen.viewers(at, 0, keyframe=True) == (BEN,)


def test_a_still_picture_is_no_lost_layer() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 1}, 0.0)
    screen.viewers(0.0, 0, keyframe=True)
    screen.viewers(0.0, 1, keyframe=True)
    assert screen.frame(3600.0, 1) == Start((BEN,), ())


def test_a_layer_above_the_wanted_one_stops_at_once_where_there_is_no_other() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 2}, 0.0)
    screen.viewers(0.0, 2, keyframe=True)
    assert screen.video.watch(BEN, {ANN: 1}, 0.1).dropped == (ANN,)
    assert screen.viewers(0.2, 2, keyframe=True) == ()


def test_a_frame_from_before_the_keyframe_is_overtaken() -> None:
    video = Video()
    video.watch(BEN, {ANN: 0}, 0.0)
    video.start(ANN, 8, 0, 0.0, keyframe=True)
    assert video.start(ANN, 4, 0, 0.0, keyframe=False).overtaken
    assert not video.start(ANN, 4, 1, 0.0, keyframe=False).overtaken


def test_a_slow_viewer_waits_for_a_keyframe_and_rests_longer_each_time() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 0}, 0.0)
    screen.viewers(0.0, keyframe=True)
    at, waits = 10.0, list[float]()
    for _ in range(6):
        assert screen.video.fell_behind(BEN, at) == (ANN,)
        began = at
        while not screen.video.handle_timer(at):
            at += 0.5
        waits.append(at - began)
        assert screen.viewers(at, keyframe=True) == (BEN,)
    assert waits == [1.0, 2.0, 4.0, 8.0, REST_SECONDS_MAX, REST_SECONDS_MAX]


def test_who_lost_the_right_to_show_begins_anew() -> None:
    screen = Screen()
    screen.video.watch(BEN, {ANN: 0}, 0.0)
    screen.viewers(0.0, keyframe=True)
    screen.video.end(ANN)
    assert screen.viewers(1.0) == ()
    assert screen.viewers(1.1, keyframe=True) == (BEN,)


class Show(RuleBasedStateMachine):
    """Everybody shows, watches, lags and leaves at random."""

    def __init__(self) -> None:
        super().__init__()
        self.video = Video()
        self.now = 0.0
        self.streams = 0
        self.wanted: dict[Sender, dict[Sender, int]] = {}
        self.shown: dict[tuple[Sender, Sender], int] = {}
        self.asked: dict[Ask, list[float]] = defaultdict(list)

    def note(self, asks: tuple[Ask, ...]) -> None:
        for ask in asks:
            self.asked[ask].append(self.now)

    @rule(
        viewer=st.sampled_from(MEMBERS),
        wanted=st.dictionaries(st.sampled_from(MEMBERS), st.integers(0, LAYERS_MAX - 1)),
    )
    def watch(self, viewer: Sender, wanted: dict[Sender, int]) -> None:
        change = self.video.watch(viewer, wanted, self.now)
        self.note(change.asks)
        self.wanted[viewer] = wanted
        for source in change.dropped:
            self.shown.pop((source, viewer), None)

    @rule(
        source=st.sampled_from(MEMBERS),
        layer=st.integers(0, LAYERS_MAX - 1),
        keyframe=st.booleans(),
    )
    def frame(self, source: Sender, layer: int, keyframe: bool) -> None:
        self.streams += 1
        start = self.video.start(source, self.streams, layer, self.now, keyframe=keyframe)
        self.note(start.asks)
        assert not start.overtaken
        assert len(set(start.viewers)) == len(start.viewers)
        for viewer in start.viewers:
            assert viewer != source
            assert source in self.wanted[viewer]
            before = self.shown.get((source, viewer))
            if before != layer:
                assert keyframe
                assert layer <= self.wanted[viewer][source]
            self.shown[source, viewer] = layer

    @rule(viewer=st.sampled_from(MEMBERS))
    def lag(self, viewer: Sender) -> None:
        self.video.fell_behind(viewer, self.now)
        for key in [key for key in self.shown if key[1] == viewer]:
            del self.shown[key]

    @rule(source=st.sampled_from(MEMBERS))
    def lose_the_right(self, source: Sender) -> None:
        self.video.end(source)
        for key in [key for key in self.shown if key[0] == source]:
            del self.shown[key]
        for ask in [ask for ask in self.asked if ask.source == source]:
            del self.asked[ask]

    @rule(member=st.sampled_from(MEMBERS))
    def leave(self, member: Sender) -> None:
        self.lose_the_right(member)
        self.video.forget(member)
        self.wanted.pop(member, None)
        for wanted in self.wanted.values():
            wanted.pop(member, None)
        for key in [key for key in self.shown if member in key]:
            del self.shown[key]

    @rule(viewer=st.sampled_from(MEMBERS), source=st.sampled_from(MEMBERS))
    def request(self, viewer: Sender, source: Sender) -> None:
        layer = self.shown.get((source, viewer), 0)
        asks = self.video.request(viewer, source, layer, self.now)
        assert not asks or (source, viewer) in self.shown
        self.note(asks)

    @rule(seconds=st.floats(0.0, 3.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.note(self.video.handle_timer(self.now))

    @invariant()
    def nobody_is_asked_too_often(self) -> None:
        for times in self.asked.values():
            for earlier, later in pairwise(times):
                assert later - earlier >= KEYFRAME_GAP_SECONDS


TestShow = Show.TestCase
TestShow.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
