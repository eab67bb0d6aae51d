"""Speech over bad networks, in virtual time: every frame is accounted for, and it stays speech."""

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from pystoi import stoi
from sidetone.audio import Samples
from sidetone.audio.quality import delays_ms

from conftest import Call, Caller, Network
