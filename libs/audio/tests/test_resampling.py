import numpy as np
import pytest
import soxr

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, AudioError, Samples
from sidetone.audio.resampling import BLOCK_SAMPLES_MAX, RESAMPLER, Resampler, needed, resample
from sidetone.native import records

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 88_200, 96_000, 192_000]


def resampled(sound: Samples, rate_in: int, rate_out: int) -> tuple[Samples, int]:
    """Return *sound* at another rate, hop by hop, and how many samples late it is."""
    record, out = records(RESAMPLER, 1)[0], np.zeros(4096, np.float32)
    resampler = Resampler(record, rate_in, rate_out)
    pieces: list[Samples] = []
    at = 0
    while True:
        hop = needed(record) if rate_out == SAMPLE_RATE else HOP_SAMPLES
        assert hop <= BLOCK_SAMPLES_MAX
        if at + hop > sound.size:
            return np.concatenate(pieces), round(resampler.delay_ns * rate_out / 1e9)
        most = HOP_SAMPLES if rate_out == SAMPLE_RATE else out.size
        made = resample(record, np.ascontiguousarray(sound[at : at + hop]), hop, out, most)
        if rate_out == SAMPLE_RATE:
            assert made == HOP_SAMPLES
        pieces.append(out[:made].copy())
        at += hop


def noise_db(sound: Samples, frequency_hz: float, rate: int) -> float:
    """Return what is not the tone, relative to the tone."""
    middle = sound[rate // 10 : -rate // 10].astype(np.float64)
    at = 2 * np.pi * frequency_hz * np.arange(middle.size) / rate
    waves = np.column_stack((np.sin(at), np.cos(at)))
    tone = waves @ np.linalg.lstsq(waves, middle, rcond=None)[0]
    return float(10 * np.log10(np.var(middle - tone) / np.var(tone)))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("share", [0.01, 0.4, 0.8])
@pytest.mark.parametrize("into", [True, False])
def test_a_tone_stays_a_tone(rate: int, share: float, into: bool) -> None:
    rate_in, rate_out = (rate, SAMPLE_RATE) if into else (SAMPLE_RATE, rate)
    frequency = share * min(rate, SAMPLE_RATE) / 2
    tone = (0.5 * np.sin(2 * np.pi * frequency * np.arange(rate_in) / rate_in)).astype(np.float32)
    made, _ = resampled(tone, rate_in, rate_out)
    assert noise_db(made, frequency, rate_out) < -90
    assert abs(np.std(made[1000:]) / np.std(tone) - 1) < 0.01


@pytest.mark.parametrize("rate", RATES)
def test_speech_comes_out_as_soxr_has_it(rate: int, ada: Samples) -> None:
    sound: Samples = soxr.resample(ada[: 3 * SAMPLE_RATE], SAMPLE_RATE, rate)
    made, late = resampled(sound, rate, SAMPLE_RATE)
    right: Samples = soxr.resample(sound, rate, SAMPLE_RATE)
    # What lies in the last tenth below the Nyquist frequency is soxr's strength, not speech.
    made, right = made[late:], right[: made.size - late]
    apart = min(np.var(made[k:] - right[: right.size - k]) for k in (0, 1))
    assert 10 * np.log10(apart / np.var(right)) < -30


@pytest.mark.parametrize("frequency_hz", [25_000, 40_000])
def test_what_48_khz_cannot_carry_is_gone(frequency_hz: float) -> None:
    tone = np.sin(2 * np.pi * frequency_hz * np.arange(96_000) / 96_000).astype(np.float32)
    assert np.max(np.abs(resampled(tone, 96_000, 48_000)[0][500:])) < 1e-3


def test_rates_out_of_reach_are_refused_with_a_sentence() -> None:
    for rate in (0, 7_999, 192_001, 44_101):
        with pytest.raises(AudioError, match="set the device to 48000 Hz"):
            Resampler(records(RESAMPLER, 1)[0], rate or 1, SAMPLE_RATE)
