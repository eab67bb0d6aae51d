import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import AudioError
from sidetone.audio.space import FORWARD, UP, Falloff, Listener, Vector, ears

FLAT = Falloff(rolloff=0.0)
coordinates = st.floats(-1e9, 1e9)
vectors = st.tuples(coordinates, coordinates, coordinates)
anything = st.tuples(*[st.floats()] * 3)


def test_straight_ahead_and_behind_both_ears_hear_alike() -> None:
    assert ears(Listener(), (0, 0, -5), FLAT) == (1, 1)
    assert ears(Listener(), (0, 0, 5), FLAT) == (1, 1)
    assert ears(Listener(), (0, 9, 0), FLAT) == (1, 1)


def test_who_is_at_the_side_is_heard_at_that_side_only() -> None:
    assert ears(Listener(), (7, 0, 0), FLAT) == pytest.approx((0, math.sqrt(2)))
    assert ears(Listener(), (-7, 0, 0), FLAT) == pytest.approx((math.sqrt(2), 0))


@pytest.mark.parametrize(
    ("forward", "up", "voice"),
    [
        ((1, 0, 0), UP, (0, 0, 3)),  # looking east, a voice in the south
        (FORWARD, (0, -1, 0), (-3, 0, 0)),  # standing on the head
        ((0, 0, 99), UP, (-3, 0, 0)),  # looking back
        ((0, 1, 0), (0, 0, 1), (3, 0, 0)),  # lying on the back
    ],
)
def test_the_right_side_turns_with_the_head(forward: Vector, up: Vector, voice: Vector) -> None:
    left, right = ears(Listener((0, 0, 0), forward, up), voice, FLAT)
    assert right > 1.4
    assert left < 0.01


def test_only_where_they_are_to_each_other_matters() -> None:
    here = ears(Listener((10, 20, 30)), (13, 20, 26), Falloff())
    assert here == pytest.approx(ears(Listener(), (3, 0, -4), Falloff()))


@pytest.mark.parametrize(
    ("distance", "gain"), [(0, 1), (2, 1), (4, 0.5), (10, 0.2), (20, 0.1), (500, 0.1)]
)
def test_distance_fades_as_in_openal(distance: float, gain: float) -> None:
    falloff = Falloff(reference=2, rolloff=1, distance_max=20)
    assert falloff.gain(distance) == pytest.approx(gain)
    assert ears(Listener(), (0, 0, -distance), falloff) == pytest.approx((gain, gain))


@given(vectors, vectors, vectors, vectors)
def test_power_is_the_same_in_every_direction(
    place: Vector, forward: Vector, up: Vector, voice: Vector
) -> None:
    left, right = ears(Listener(place, forward, up), voice, FLAT)
    assert left**2 + right**2 == pytest.approx(2)


@given(anything, anything, anything, anything, anything)
def test_nonsense_is_heard_and_not_too_loud(
    place: Vector, forward: Vector, up: Vector, voice: Vector, numbers: Vector
) -> None:
    try:
        falloff = Falloff(*numbers)
    except AudioError:
        falloff = FLAT
    for gain in ears(Listener(place, forward, up), voice, falloff):
        assert 0 <= gain <= math.sqrt(2) + 1e-9


@pytest.mark.parametrize("numbers", [(0, 1, 100), (2, 1, 1), (1, -1, 100), (1, math.nan, 100)])
def test_a_falloff_that_makes_no_sense_says_what_would(numbers: Vector) -> None:
    with pytest.raises(AudioError, match="choose a reference distance above 0"):
        Falloff(*numbers)


def test_who_walks_through_the_listener_does_not_jump_from_ear_to_ear() -> None:
    before = ears(Listener(), (-0.5, 0, 0), Falloff())
    for step in range(-49, 51):
        now = ears(Listener(), (step / 100, 0, 0), Falloff())
        assert max(abs(a - b) for a, b in zip(before, now, strict=True)) < 0.02
        before = now
