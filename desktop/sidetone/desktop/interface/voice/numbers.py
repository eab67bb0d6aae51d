"""The numbers behind the words: of the call as a whole, and of each who speaks."""

from pathlib import Path

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.home_paths import shortened
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.voice import Figures, quality_words
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice import parts


@ft.component
def NumbersSheet(view: View, account: Account) -> ft.Control:
    """Draw this second's numbers."""
    view.watch(Topic("link"), Topic("call"))
    figures = view.core.voice.figures
    if figures is None:
        return kit.text(tr("There is nothing to measure yet."), color=theme.QUIET)
    return ft.Column(
        [
            kit.text(tr("Connection: {quality}", quality=quality_words(figures)), "title"),
            kit.semantics("call-numbers", _whole(figures)),
            *(
                [kit.text(tr("Who was heard last"), "name"), _people(account, figures)]
                if figures.people
                else []
            ),
        ],
        tight=True,
        spacing=12,
    )


def _whole(figures: Figures) -> ft.Control:
    # Of 10,000 us that 10 ms have: what one core does for this call.
    busy = (figures.cpu_capture_us + figures.cpu_playback_us) / 100
    rows = [
        (tr("There and back"), tr("{n} ms", n=round(figures.rtt_ms or 0))),
        (tr("Lost on the way to you"), tr("{n} %", n=f"{figures.lost_percent:.1f}")),
        (tr("Lost of what you say"), tr("{n} %", n=f"{figures.others_lose_percent:.0f}")),
        (tr("Jitter"), tr("{n} ms", n=round(figures.jitter_ms))),
        (tr("Buffered"), tr("{n} ms", n=round(figures.buffer_ms))),
        (
            tr("Codec"),
            tr(
                "Opus, {rate} kbit/s, {ms} ms frames",
                rate=round(figures.bitrate / 1000),
                ms=figures.frame_ms,
            ),
        ),
        (tr("Processor for sound"), tr("{n} % of a core", n=f"{busy:.1f}")),
        (tr("Microphone"), _device(figures.microphone)),
        (tr("Loudspeaker"), _device(figures.speaker)),
        (tr("Connections lost"), str(figures.reconnects)),
    ]
    return ft.Column(
        [
            ft.Row([kit.text(name, color=theme.QUIET, width=200), kit.text(value, expand=True)])
            for name, value in rows
        ],
        spacing=4,
        tight=True,
    )


def _device(name: str) -> str:
    """Return what a device is called, which may be a file."""
    return shortened(name, Path.home())


def _people(account: Account, figures: Figures) -> ft.Control:
    heads = [tr("Name"), tr("Jitter"), tr("Buffer"), tr("Lost"), tr("Made up")]
    rows = [_row(heads, theme.FAINT)]
    for user, counts in figures.people.items():
        arrived = counts.received + counts.lost
        lost = 100 * counts.lost / arrived if arrived else 0.0
        values = [
            names.name_of(account.knowledge, user),
            tr("{n} ms", n=round(counts.jitter_ms)),
            tr("{n} ms", n=round(counts.buffer_ms)),
            tr("{n} %", n=f"{lost:.1f}"),
            tr("{n} ms", n=round(counts.concealed_ms)),
        ]
        rows.append(_row(values, theme.TEXT))
    return parts.listing(rows)


def _row(cells: list[str], color: ft.Colors) -> ft.Control:
    first, *others = cells
    return ft.Row(
        [
            kit.line(first, "small", color, expand=True),
            *(kit.text(cell, "small", color, width=84) for cell in others),
        ]
    )
