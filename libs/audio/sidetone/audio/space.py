"""Where a voice comes from: how loud it is at each ear, from places in a game's world. Pure.

Distance attenuates as in OpenAL 1.1, AL_INVERSE_DISTANCE_CLAMPED (section 3.4.2):

    gain = reference / (reference + rolloff * (clamp(distance, reference, maximum) - reference))

Direction pans with constant power: with s from -1 (left) to 1 (right), the sine of the angle
between the voice and the plane through the listener's nose, the ears get sqrt(1 - s) and
sqrt(1 + s). A voice straight ahead, or behind, at the reference distance is thus as loud at both
ears as one without a place. Axes as in OpenAL: x to the right, y up, z to the listener's back.
"""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from sidetone.audio import AudioError

Vector: TypeAlias = tuple[float, float, float]

COORDINATE_MAX: Final = 1e9
"""Farther is nowhere; NaN and infinity are, too."""
ORIGIN: Final[Vector] = (0.0, 0.0, 0.0)
FORWARD: Final[Vector] = (0.0, 0.0, -1.0)
UP: Final[Vector] = (0.0, 1.0, 0.0)
_FLAT: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Listener:
    """Whose ears: where they are, where they look, and where the top of their head is.

    Directions may have any length; where they have none, or lie in one line, the axes are used.
    """

    place: Vector = ORIGIN
    forward: Vector = FORWARD
    up: Vector = UP


@dataclass(frozen=True, slots=True)
class Falloff:
    """How voices fade with distance; lengths in the world's units, metres by default.

    Nearer than *reference* they get no louder, farther than *distance_max* no softer. *rolloff* 0
    switches attenuation off. Raises ``AudioError`` for what makes no sense.
    """

    reference: float = 1.0
    rolloff: float = 1.0
    distance_max: float = 100.0

    def __post_init__(self) -> None:
        ordered = _FLAT <= self.reference <= self.distance_max <= COORDINATE_MAX
        if not (ordered and 0 <= self.rolloff <= COORDINATE_MAX):
            raise AudioError(
                "voices cannot fade like this: choose a reference distance above 0, a maximum "
                "that is no smaller, and a rolloff of 0 or more"
            )

    def gain(self, distance: float) -> float:
        """Return what is left of a voice at *distance*, 0 to 1."""
        clamped = min(max(distance, self.reference), self.distance_max)
        return self.reference / (self.reference + self.rolloff * (clamped - self.reference))


def is_somewhere(vector: Vector) -> bool:
    """Tell whether all coordinates are numbers, and none is beyond `COORDINATE_MAX`."""
    return all(abs(coordinate) <= COORDINATE_MAX for coordinate in vector)


def ears(listener: Listener, voice: Vector, falloff: Falloff) -> tuple[float, float]:
    """Return a voice's gain at the left and the right ear, each 0 to sqrt(2).

    A vector that is none, as `is_somewhere` tells, gives both ears 1: no place at all. Nearer than
    the reference distance a voice moves into the middle, so that nobody jumps from ear to ear.

    >>> ears(Listener(), (0.0, 0.0, -1.0), Falloff())
    (1.0, 1.0)
    """
    if not all(map(is_somewhere, (voice, listener.place, listener.forward, listener.up))):
        return 1.0, 1.0
    away = _minus(voice, listener.place)
    distance = math.hypot(*away)
    gain = falloff.gain(distance)
    right = _right(listener)
    side = _dot(away, right) / max(distance, falloff.reference)
    side = min(max(side, -1.0), 1.0)
    return gain * math.sqrt(1 - side), gain * math.sqrt(1 + side)


def _right(listener: Listener) -> Vector:
    """Return where the right ear is, of length 1."""
    crossed = _cross(_unit(listener.forward, FORWARD), _unit(listener.up, UP))
    return _unit(crossed, (1.0, 0.0, 0.0))


def _unit(vector: Vector, otherwise: Vector) -> Vector:
    length = math.hypot(*vector)
    if length < _FLAT:
        return otherwise
    x, y, z = vector
    return x / length, y / length, z / length


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
