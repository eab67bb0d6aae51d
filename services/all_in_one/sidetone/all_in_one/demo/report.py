"""What the demo found, for people and as JSON."""

import statistics
from collections.abc import Sequence

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from sidetone.all_in_one.demo.evidence import Evidence
from sidetone.all_in_one.demo.measures import Pair, intelligibility, pesq_wb
from sidetone.all_in_one.demo.proof import Verdict
from sidetone.all_in_one.demo.talk import Outcome

# Below this a listener would ask "what did you say?" (Taal et al., 2011).
STOI_HEARD_MIN = 0.6


class Percentiles(msgspec.Struct, frozen=True):
    """Milliseconds; None where nothing could be measured."""

    p50: float | None
    p95: float | None


class Quality(msgspec.Struct, frozen=True):
    """The worst pair and the mean of all."""

    min: float
    mean: float


class Scores(msgspec.Struct, frozen=True):
    """One pair's line in the report."""

    speaker: str
    listener: str
    delivered_ratio: float
    mouth_to_ear_ms: Percentiles
    pesq_wb: float | None
    stoi: float
    fec_recovered: int


class Report(msgspec.Struct, frozen=True):
    """Everything that ``--json`` writes."""

    delivered_ratio: float
    mouth_to_ear_ms: Percentiles
    first_audio_ms: Percentiles
    pesq_wb: Quality | None
    stoi: Quality
    fec_recovered: int
    sfu_opened_frames: int
    removed_member_opened_frames: int
    member_opened_frames: int
    frames_tried: int
    removed_member_frames_tried: int
    exclusion_ms: float
    codes_equal: bool
    epochs: int
    joins: int
    joins_heard: int
    seconds: float
    bytes_per_second: float
    pairs: list[Scores]

    def failures(self) -> list[str]:
        """Return what went wrong, a line each: nothing when all members, and only they, heard."""
        found = [
            (f"{pair.listener} did not hear {pair.speaker} (STOI {pair.stoi:.2f})")
            for pair in self.pairs
            if pair.stoi < STOI_HEARD_MIN
        ]
        if self.joins_heard < self.joins:
            found.append(f"{self.joins - self.joins_heard} of {self.joins} joins heard nothing")
        if not self.codes_equal:
            found.append("members of the call saw different codes")
        if self.sfu_opened_frames:
            found.append(f"the server opened {self.sfu_opened_frames} frames")
        if self.removed_member_opened_frames:
            found.append(f"the removed member opened {self.removed_member_opened_frames} frames")
        if not 0 < self.frames_tried == self.member_opened_frames:
            found.append(
                f"a member opened {self.member_opened_frames} of {self.frames_tried} frames"
            )
        return found


def report_of(outcome: Outcome, evidence: Evidence, verdict: Verdict) -> Report:
    """Sum up the talk, the joins and the proof."""
    pairs = [_scores(pair) for pair in outcome.pairs]
    pesq = [pair.pesq_wb for pair in pairs if pair.pesq_wb is not None]
    stoi = [pair.stoi for pair in pairs]
    heard = [ms for ms in outcome.first_audio_ms if ms is not None]
    seconds = max(1e-9, (evidence.passed_ns[-1] - evidence.passed_ns[0]) / 1e9)
    return Report(
        delivered_ratio=sum(p.received for p in outcome.pairs)
        / max(1, sum(p.sent for p in outcome.pairs)),
        mouth_to_ear_ms=_percentiles([ms for p in outcome.pairs for ms in p.delays_ms]),
        first_audio_ms=_percentiles(heard),
        pesq_wb=Quality(min(pesq), statistics.fmean(pesq)) if pesq else None,
        stoi=Quality(min(stoi), statistics.fmean(stoi)),
        fec_recovered=sum(pair.fec_recovered for pair in outcome.pairs),
        sfu_opened_frames=verdict.opened_by_server,
        removed_member_opened_frames=verdict.opened_by_removed,
        member_opened_frames=verdict.opened_by_member,
        frames_tried=verdict.tried,
        removed_member_frames_tried=verdict.removed_tried,
        exclusion_ms=round(verdict.exclusion_ms, 1),
        codes_equal=outcome.codes_equal,
        epochs=outcome.epochs,
        joins=len(outcome.first_audio_ms),
        joins_heard=len(heard),
        seconds=round(outcome.seconds, 3),
        bytes_per_second=round(sum(map(len, evidence.frames)) / seconds, 1),
        pairs=pairs,
    )


def print_report(console: Console, report: Report) -> None:
    """Print *report* for people."""
    table = Table(title="How everybody was heard", title_justify="left")
    table.add_column("speaker → listener")
    for name in ("delivered", "mouth to ear p50 / p95", "PESQ-WB", "STOI", "FEC"):
        table.add_column(name, justify="right")
    for pair in report.pairs:
        table.add_row(
            f"{pair.speaker} → {pair.listener}",
            f"{pair.delivered_ratio:.2%}",
            f"{_ms(pair.mouth_to_ear_ms.p50)} / {_ms(pair.mouth_to_ear_ms.p95)}",
            "–" if pair.pesq_wb is None else f"{pair.pesq_wb:.2f}",
            f"{pair.stoi:.3f}",
            str(pair.fec_recovered),
        )
    console.print(table)
    if report.pesq_wb is None:
        console.print("PESQ needs a compiler at installation: STOI stands in for it.")
    ear, click = report.mouth_to_ear_ms, report.first_audio_ms
    console.print(f"Mouth to ear: p50 {_ms(ear.p50)}, p95 {_ms(ear.p95)}")
    console.print(
        f"Click to first audio: p50 {_ms(click.p50)}, p95 {_ms(click.p95)}, {report.joins} joins"
    )
    console.print(f"Encrypted sound up to the server: {report.bytes_per_second:.0f} bytes/s")
    console.print(
        f"Proof: of {report.frames_tried} datagrams the server opened "
        f"{report.sfu_opened_frames}, a member {report.member_opened_frames}; of the "
        f"{report.removed_member_frames_tried} after its removal the removed member opened "
        f"{report.removed_member_opened_frames} (excluded after {report.exclusion_ms:.0f} ms). "
        f"Codes were {'equal' if report.codes_equal else 'DIFFERENT'} in {report.epochs} epochs."
    )


def _scores(pair: Pair) -> Scores:
    return Scores(
        speaker=pair.speaker,
        listener=pair.listener,
        delivered_ratio=pair.delivered_ratio,
        mouth_to_ear_ms=_percentiles(pair.delays_ms),
        pesq_wb=pesq_wb(pair),
        stoi=intelligibility(pair),
        fec_recovered=pair.fec_recovered,
    )


def _percentiles(values: Sequence[float]) -> Percentiles:
    if not values:
        return Percentiles(None, None)
    p50, p95 = np.percentile(values, [50, 95])
    return Percentiles(round(float(p50), 2), round(float(p95), 2))


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
