"""The soundboard: short sounds that all in the call hear beside one's voice."""

from collections.abc import Callable
from pathlib import Path

import flet as ft

from sidetone.desktop.application.clips import (
    add_clip,
    list_clips,
    remove_clip,
    rename_clip,
)
from sidetone.desktop.application.home_paths import shortened
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.picking import pick
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice import parts

_PERCENT_MAX = 200


class _Board:
    """What one does with the clips; *shown* is told what there is after each change."""

    def __init__(self, view: View, shown: Callable[[list[Path]], None]) -> None:
        self._view = view
        self._voice = view.core.voice
        self._shown = shown

    async def look(self) -> None:
        self._shown(await list_clips(self._voice.clips_folder))

    async def add(self) -> None:
        for file in await pick(self._view, "wav"):
            await add_clip(self._voice.clips_folder, file.name, await file.read())
        await self.look()

    async def remove(self, clip: Path) -> None:
        await remove_clip(clip)
        await self.look()

    async def rename(self, clip: Path, name: str) -> None:
        if name.strip() and name != clip.stem:
            await rename_clip(clip, name)
        await self.look()

    async def play(self, clip: Path, percent: int) -> None:
        await self._voice.joined.play_sound(clip, percent)

    async def stop(self) -> None:
        self._voice.joined.stop_sound()


@ft.component
def SoundboardSheet(view: View) -> ft.Control:
    """Draw the clips; a click plays one for all, and replaces what plays."""
    clips, set_clips = hooks.state(list[Path]())
    percent, set_percent = hooks.state(100)
    board = _Board(view, set_clips)
    ft.use_effect(board.look, [])
    return ft.Column(
        [
            kit.text(tr("Soundboard"), "title"),
            *([] if clips else [_empty(view.core.voice.clips_folder)]),
            parts.listing(
                [hooks.keyed(clip.name, Clip, view, board, clip, percent) for clip in clips]
            ),
            _foot(view, board, percent, set_percent),
        ],
        tight=True,
        spacing=14,
    )


@ft.component
def Clip(view: View, board: _Board, clip: Path, percent: int) -> ft.Control:
    """Draw one clip, or its name to be changed."""
    renaming, set_renaming = hooks.state(False)
    name = hooks.entry(clip.stem)

    def renamed() -> None:
        set_renaming(False)
        view.start(board.rename(clip, name.value))

    if renaming:
        return kit.field(
            "clip-name", tr("Name"), name.value, name.set, autofocus=True, on_submit=renamed
        )
    return _tile(
        clip,
        lambda: view.start(board.play(clip, percent)),
        lambda: set_renaming(True),
        lambda: view.start(board.remove(clip)),
    )


def _foot(view: View, board: _Board, percent: int, set_percent: kit.Handler) -> ft.Control:
    volume = ft.Slider(
        value=percent,
        min=0,
        max=_PERCENT_MAX,
        divisions=40,
        active_color=theme.ACCENT,
        on_change=lambda e: set_percent(round(e.control.value or 0)),
        expand=True,
    )
    slider = kit.semantics("soundboard-volume", volume, tr("Volume of clips"))
    slider.expand = True
    return ft.Row(
        [
            slider,
            kit.icon_button(
                "soundboard-stop",
                ft.Icons.STOP_CIRCLE_OUTLINED,
                tr("Stop the clip"),
                view.act(board.stop),
            ),
            kit.button("soundboard-add", tr("Add a clip"), view.act(board.add)),
        ],
        spacing=8,
    )


def _tile(clip: Path, play: kit.Handler, rename: kit.Handler, remove: kit.Handler) -> ft.Control:
    row = ft.Row(
        [
            ft.Icon(ft.Icons.PLAY_ARROW, size=18, color=theme.ACCENT),
            kit.line(clip.stem, "label", expand=True),
            ft.PopupMenuButton(
                icon=ft.Icons.MORE_VERT,
                icon_size=16,
                icon_color=theme.FAINT,
                tooltip=tr("More about {clip}", clip=clip.stem),
                items=[
                    kit.menu_item("clip-rename", tr("Rename"), ft.Icons.EDIT, rename),
                    kit.menu_item(
                        "clip-remove", tr("Delete"), ft.Icons.DELETE, remove, danger=True
                    ),
                ],
            ),
        ],
        spacing=4,
    )
    body = ft.Container(
        row,
        bgcolor=theme.CHOSEN,
        border_radius=theme.RADIUS,
        padding=ft.Padding.only(left=8),
        ink=True,
        on_click=play,
    )
    return kit.semantics(f"clip-{clip.stem}", body, tr("Play {clip}", clip=clip.stem), button=True)


def _empty(folder: Path) -> ft.Control:
    return kit.text(
        tr(
            "No clips yet. Add WAV files of a minute at most, here or in the folder {folder}.",
            folder=shortened(str(folder), Path.home()),
        ),
        "small",
        theme.QUIET,
        selectable=True,
    )
