"""Files of a message: pictures as they are, others with their size; all can be saved."""

from pathlib import Path
from typing import Final

import flet as ft
import platformdirs

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.protocol.files import File

_WIDTH_MAX: Final = 420.0
_HEIGHT_MAX: Final = 300.0


@ft.component
def Attachments(pane: Pane, files: tuple[File, ...]) -> ft.Control:
    """Draw all files of a message."""
    return ft.Row(
        [
            hooks.keyed(str(file.id), Picture if file.width else Document, pane, file)
            for file in files
        ],
        wrap=True,
        spacing=8,
        run_spacing=8,
    )


@ft.component
def Picture(pane: Pane, file: File) -> ft.Control:
    """Draw a picture in the room that it will take, whether it is here yet or not."""
    opened, set_opened = hooks.state(not file.spoiler)
    pane.view.watch(Topic("file", file.id))
    width, height = fitted(file.width or 1, file.height or 1)
    if not opened:
        cover = ft.Container(
            kit.text(tr("Spoiler"), "label", theme.TEXT),
            width=width,
            height=height,
            bgcolor=theme.RAISED,
            border_radius=10,
            alignment=ft.Alignment.CENTER,
            on_click=lambda: set_opened(True),
        )
        return kit.semantics(f"spoiler-{file.id}", cover, tr("Show the spoiler"), button=True)
    content = pane.account.pictures.get(file.id)
    picture: ft.Control = ft.Container(width=width, height=height, bgcolor=theme.RAISED)
    if content is not None:
        picture = ft.Image(
            content, width=width, height=height, fit=ft.BoxFit.COVER, gapless_playback=True
        )
    frame = ft.Container(
        picture,
        border_radius=10,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
        on_click=lambda: enlarge(pane, file),
    )
    return kit.semantics(f"picture-{file.name}", frame, file.name, image=True, button=True)


def fitted(width: int, height: int) -> tuple[float, float]:
    """Return the size in which a picture is shown: never larger than it is.

    >>> fitted(840, 300), fitted(100, 50)
    ((420.0, 150.0), (100.0, 50.0))
    """
    scale = min(1.0, _WIDTH_MAX / width, _HEIGHT_MAX / height)
    return max(24.0, width * scale), max(24.0, height * scale)


@ft.component
def Document(pane: Pane, file: File) -> ft.Control:
    """Draw a file that is no picture."""
    words = ft.Column(
        [
            kit.line(file.name, "name", theme.ACCENT),
            kit.line(times.size(file.size_bytes), "small", theme.FAINT),
        ],
        spacing=0,
        expand=True,
    )
    icon = ft.Icon(ft.Icons.INSERT_DRIVE_FILE_OUTLINED, color=theme.QUIET, size=28)
    save = kit.icon_button(
        f"save-{file.name}",
        ft.Icons.DOWNLOAD,
        tr("Save {name}", name=file.name),
        lambda: pane.start(save_file(pane, file)),
    )
    return kit.semantics(
        f"file-{file.name}",
        ft.Container(
            ft.Row([icon, words, save], spacing=10),
            width=360,
            padding=ft.Padding.symmetric(horizontal=12, vertical=8),
            bgcolor=theme.RAISED,
            border=ft.Border.all(1, theme.LINE),
            border_radius=10,
        ),
        file.name,
    )


async def save_file(pane: Pane, file: File) -> None:
    """Bring a file to where the user keeps downloads."""
    content = await pane.account.client.api.media.read(file.id)
    if pane.view.page.web:
        await ft.FilePicker().save_file(file_name=file.name, src_bytes=content)
        return
    folder = str(Path(platformdirs.user_downloads_dir()))
    kept = await ft.FilePicker().save_file(
        file_name=file.name, initial_directory=folder, src_bytes=content
    )
    if kept:
        pane.view.notice(tr("Saved as {path}", path=kept))


def enlarge(pane: Pane, file: File) -> None:
    """Show a picture as large as the window allows."""
    pane.view.open(
        ft.AlertDialog(
            content=ft.Container(hooks.apart(Enlarged, pane, file)),
            content_padding=0,
            actions_padding=0,
            inset_padding=24,
            bgcolor=theme.GROUND,
            shape=ft.RoundedRectangleBorder(radius=12),
        )
    )


@ft.component
def Enlarged(pane: Pane, file: File) -> ft.Control:
    """Draw the small copy until the whole picture is here."""
    content, set_content = hooks.state(pane.account.pictures.get(file.id))

    async def read() -> None:
        set_content(await pane.account.client.api.media.read(file.id))

    ft.use_effect(lambda: pane.start(read()), [])
    page = pane.view.page
    room = (page.width or 1280) - 96, (page.height or 800) - 150
    scale = min(1.0, room[0] / (file.width or 1), room[1] / (file.height or 1))
    size = (file.width or 1) * scale, (file.height or 1) * scale
    picture: ft.Control = ft.Container(width=size[0], height=size[1])
    if content is not None:
        picture = ft.Image(
            content, width=size[0], height=size[1], fit=ft.BoxFit.CONTAIN, gapless_playback=True
        )
    bar = ft.Row(
        [
            kit.line(file.name, "label", theme.QUIET, expand=True),
            kit.icon_button(
                "save-picture",
                ft.Icons.DOWNLOAD,
                tr("Save {name}", name=file.name),
                lambda: pane.start(save_file(pane, file)),
            ),
            kit.icon_button("close-picture", ft.Icons.CLOSE, tr("Close"), pane.view.close),
        ],
        width=max(size[0] - 16, 240),
    )
    return kit.semantics(
        "enlarged",
        ft.Column(
            [ft.InteractiveViewer(picture, max_scale=8), bar],
            tight=True,
            spacing=2,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        file.name,
        image=True,
    )
