"""An X server without a monitor, and something drawn on it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from numpy.typing import NDArray

from sidetone.video import Size

XVFB = shutil.which("Xvfb")
# The largest request of the core protocol is 256 KiB.
REQUEST_BYTES = 200_000


@contextmanager
def virtual_display(size: Size) -> Iterator[str]:
    """Run Xvfb with one monitor; gives the name of the display."""
    if XVFB is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    screen = f"{size.width}x{size.height}x24"
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as number:
            yield f":{number.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def put(drawable, context, pixels: NDArray, top: int = 0) -> None:  # noqa: ANN001
    """Draw BGRx *pixels* at the left edge, in bands that fit into a request."""
    height, width = pixels.shape[:2]
    rows = REQUEST_BYTES // (width * 4)
    for row in range(0, height, rows):
        band = pixels[row : row + rows]
        drawable.put_image(context, 0, top + row, width, band.shape[0], 2, 24, 0, band.tobytes())
