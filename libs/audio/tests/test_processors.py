import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy.signal import fftconvolve

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, AudioError, Samples, processing, processors

SILENCE = np.zeros(HOP_SAMPLES, np.float32)


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


needs_rnnoise = pytest.mark.skipif(
    not installed("pyrnnoise"), reason="pyrnnoise is missing: install sidetone-audio[rnnoise]"
)
needs_echo = pytest.mark.skipif(
    not installed("livekit"), reason="livekit is missing: install sidetone-audio[echo]"
)


def bare() -> Any:
    p = processing.fresh()
    p.suppression = p.suppressor = processing.OFF
    p.gain_control = 0
    return p


def run(p: Any, x: Samples, far: Samples | None = None) -> Samples:
    out = x[: x.size // HOP_SAMPLES * HOP_SAMPLES].copy()
    for n, hop in enumerate(out.reshape(-1, HOP_SAMPLES)):
        heard = SILENCE if far is None else far[n * HOP_SAMPLES : (n + 1) * HOP_SAMPLES].copy()
        processing.process_hop(p, hop, heard)
    return out


def level_db(x: Samples) -> float:
    return 10 * float(np.log10(np.mean(x.astype(np.float64) ** 2) + 1e-30))


@pytest.mark.parametrize(
    ("make", "package", "extra"),
    [
        (processors.noise_suppressor, "pyrnnoise", "rnnoise"),
        (processors.echo_canceller, "livekit", "echo"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    make: Callable[[], processors.Processor], package: str, extra: str
) -> None:
    if installed(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(AudioError, match=rf"install sidetone-audio\[{extra}\]") as refused:
        make()
    assert "\n" not in str(refused.value)


@pytest.fixture
def suppressor() -> Iterator[processors.Processor]:
    made = processors.noise_suppressor()
    yield made
    made.close()


@pytest.fixture
def canceller() -> Iterator[processors.Processor]:
    made = processors.echo_canceller()
    yield made
    made.close()


@needs_rnnoise
def test_max_suppression_leaves_speech_and_takes_noise(
    suppressor: processors.Processor, ada: Samples
) -> None:
    p = bare()
    p.suppress_handle, p.suppress_function = suppressor.handle, suppressor.function
    p.suppression = processing.MAX
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal(2 * SAMPLE_RATE) * 0.01).astype(np.float32)
    assert level_db(run(p, noise)[SAMPLE_RATE:]) < level_db(noise) - 20
    speech = ada[: 3 * SAMPLE_RATE]
    assert abs(level_db(run(p, speech)) - level_db(speech)) < 3
    assert p.processor_failures == 0


@needs_echo
@pytest.mark.parametrize("device_delay_ms", [20, 150])
def test_an_echo_goes_down_by_more_than_twenty_decibels(
    canceller: processors.Processor, ada: Samples, device_delay_ms: int
) -> None:
    p = bare()
    p.echo_handle, p.echo_function = canceller.handle, canceller.function
    far = ada[: 8 * SAMPLE_RATE]
    rng = np.random.default_rng(1)
    tail = rng.standard_normal(9600) * np.exp(-np.arange(9600) / 1900) * 0.02
    late = np.zeros(device_delay_ms * SAMPLE_RATE // 1000)
    near = fftconvolve(far, np.concatenate((late, [0.3], tail)))[: far.size].astype(np.float32)
    left = run(p, near, far)
    second_half = slice(far.size // 2, None)
    assert level_db(left[second_half]) < level_db(near[second_half]) - 20
    assert p.processor_failures == 0


@needs_echo
def test_the_near_voice_survives_where_nothing_is_played(
    canceller: processors.Processor, ben: Samples
) -> None:
    p = bare()
    p.echo_handle, p.echo_function = canceller.handle, canceller.function
    speech = ben[: 3 * SAMPLE_RATE]
    assert abs(level_db(run(p, speech)) - level_db(speech)) < 1
