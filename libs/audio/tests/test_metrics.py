import math
from dataclasses import dataclass, fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from sidetone.audio.engine_stats import EngineStats
from sidetone.audio.jitter import JitterStats
from sidetone.audio.metrics import ENGINE, SPEAKER, prometheus_text


@dataclass
class Some:
    frames_captured: int = 7
    cpu_capture_us: float = 125.0
    level_db: float = -math.inf


def parsed(text: str) -> dict[str, Any]:
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_figure_is_told() -> None:
    told = {figure.field for figure in ENGINE} | {"refused", "speakers", "microphone", "speaker"}
    assert told == {field.name for field in fields(EngineStats)}
    assert {figure.field for figure in SPEAKER} == {field.name for field in fields(JitterStats)}


def test_each_name_is_used_once_and_counters_end_in_total() -> None:
    names = [figure.name for figure in (*ENGINE, *SPEAKER)]
    assert len(names) == len(set(names))
    text = prometheus_text(Some(), {"ada": JitterStats()})
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")


def test_figures_are_told_in_base_units() -> None:
    values = parsed(prometheus_text(Some(), {"ada": JitterStats(lost=3, jitter_ms=12.5)}))
    assert values["sidetone_audio_captured_frames_total[]"] == 7
    assert values["sidetone_audio_capture_busy_seconds[]"] == 125e-6
    assert values["sidetone_audio_microphone_level_decibels[]"] == -math.inf
    assert values["sidetone_audio_speaker_lost_packets_total[('user', 'ada')]"] == 3
    assert values["sidetone_audio_speaker_jitter_seconds[('user', 'ada')]"] == 0.0125


def test_a_series_has_one_head_however_many_speakers_there_are() -> None:
    text = prometheus_text(Some(), {"ada": JitterStats(), "ben": JitterStats()})
    assert text.count("# TYPE sidetone_audio_speaker_lost_packets_total counter") == 1
    assert text.count("sidetone_audio_speaker_lost_packets_total{") == 2
    assert "played" not in text, "it does not know of what it has no figure for"


def test_what_did_not_open_is_told_by_reason_and_devices_by_name() -> None:
    @dataclass
    class More:
        refused: dict[str, int]
        microphone: str = 'The "good" one'
        speaker: str = ""

    values = parsed(prometheus_text(More({"frame_forged": 2}), {}))
    assert values["sidetone_audio_refused_packets_total[('reason', 'frame_forged')]"] == 2
    assert (
        values["sidetone_audio_devices_info[('microphone', 'The \"good\" one'), ('speaker', '')]"]
        == 1
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")))
def test_names_of_all_kinds_are_read_back(name: str) -> None:
    values = parsed(prometheus_text(Some(), {name: JitterStats(lost=3)}))
    key = f"sidetone_audio_speaker_lost_packets_total{[('user', name)]}"
    assert values[key] == 3
