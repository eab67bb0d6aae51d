"""How near a picture is to what was meant."""

import av
import numpy as np
from numpy.typing import NDArray

from sidetone.video import Pixels

# Brightness by BT.601 (full range) from blue, green, red.
LUMA = np.array([0.114, 0.587, 0.299])


def luma_of(pixels: Pixels) -> NDArray[np.float64]:
    return pixels[:, :, :3] @ LUMA


def jpeg_luma(jpeg: bytes) -> NDArray[np.uint8]:
    """Return the brightness of a JPEG, 0 to 255."""
    (frame,) = av.CodecContext.create("mjpeg", "r").decode(av.Packet(jpeg))
    return frame.to_ndarray()[: frame.height, : frame.width]


def psnr_db(one: NDArray, other: NDArray) -> float:
    """Return the peak signal-to-noise ratio of two pictures of brightness 0 to 255."""
    noise = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(noise, 1e-9)))
