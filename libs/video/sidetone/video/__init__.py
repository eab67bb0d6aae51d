"""Screens as video: captured, encoded in a process of their own, decoded.

Pictures and codecs; no network, no cryptography. Importing this module is cheap: PyAV loads where
something is encoded or decoded.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture as it is captured: uint8, shape (height, width, 4), blue, green, red, unused."""


class VideoError(Exception):
    """Video is not possible; the text is one line that says what happened and what to do."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int
