"""What the audio tests share: real speech."""

from pathlib import Path

import pytest

from sidetone.audio import Samples
from sidetone.audio.devices import read_wav

SPEECH = Path(__file__).parents[3] / "services/all_in_one/sidetone/all_in_one/demo/speech"


@pytest.fixture(scope="session")
def speech() -> Path:
    return SPEECH


@pytest.fixture(scope="session")
def ada() -> Samples:
    return read_wav(SPEECH / "ada.wav")


@pytest.fixture(scope="session")
def ben() -> Samples:
    return read_wav(SPEECH / "ben.wav")
