"""Compile the voice node's kernels into the image, as its start would: fails where they are not.

A node rehearses before it stands by; what it compiled is in ``NUMBA_CACHE_DIR`` then.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sidetone.runtime.tls import Identity


def main() -> None:
    """Rehearse, and look at what is there afterwards."""
    kernels = Path(os.environ["NUMBA_CACHE_DIR"])
    kernels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Identity.open(Path(folder), [], time.time_ns() // 1_000_000)
        environment = os.environ | {
            "SIDETONE_SFU_BUS": "local:none",
            "SIDETONE_SFU_TLS_FOLDER": folder,
        }
        subprocess.run(
            [sys.executable, "-m", "sidetone.voice_sfu", "--standby"],
            env=environment,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    count = len(list(kernels.rglob("*.nbc")))
    if not count:
        sys.exit("the voice node compiled nothing: is libnettle8 there?")
    print(f"{count} kernels are compiled")


main()
