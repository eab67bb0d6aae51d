"""The files that go with a message: how far each is, and how to leave it out."""

import flet as ft

from sidetone.desktop.application.upload_files import UploadFiles
from sidetone.desktop.domain.draft import Upload
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.picking import pick

_WIDTH = 212


async def pick_files(pane: Pane, uploads: UploadFiles) -> None:
    """Let the user choose files and begin to bring them."""
    for file in await pick(pane.view, several=True):
        uploads.add(file.name, file.size_bytes, file.read)
    pane.focus_composer()


def uploads_bar(uploads: UploadFiles) -> ft.Control:
    """Draw the files of the draft."""
    return ft.Container(
        ft.Row(
            [_upload(uploads, each) for each in uploads.draft.uploads],
            wrap=True,
            spacing=8,
            run_spacing=8,
        ),
        padding=ft.Padding.only(left=8, right=8, top=8, bottom=4),
    )


def _upload(uploads: UploadFiles, upload: Upload) -> ft.Control:
    picture = upload.media_type.startswith("image/")
    icon = ft.Icons.IMAGE_OUTLINED if picture else ft.Icons.INSERT_DRIVE_FILE_OUTLINED
    color = theme.BAD if upload.problem else theme.QUIET
    state = kit.sentence(upload.problem) or times.size(upload.size_bytes)
    remove = kit.icon_button(
        f"remove-{upload.name}",
        ft.Icons.CLOSE,
        tr("Leave out {name}", name=upload.name),
        lambda: uploads.remove(upload),
        width=28,
        height=28,
        padding=0,
        icon_size=16,
    )
    words = ft.Column(
        [
            kit.line(upload.name, "label"),
            kit.text(state, "section", color, max_lines=3),
        ],
        spacing=0,
        expand=True,
    )
    rows: list[ft.Control] = [
        ft.Row([ft.Icon(icon, size=22, color=color), words, remove], spacing=8)
    ]
    if upload.file is None and not upload.problem:
        rows.append(
            ft.ProgressBar(
                value=upload.progress or None,
                bar_height=3,
                border_radius=2,
                color=theme.ACCENT,
                bgcolor=theme.LINE,
            )
        )
    arrived = "refused" if upload.problem else "ready" if upload.file else "arriving"
    return kit.semantics(
        f"upload-{arrived}-{upload.name}",
        ft.Container(
            ft.Column(rows, spacing=4),
            width=_WIDTH,
            bgcolor=theme.GROUND,
            border=ft.Border.all(1, theme.LINE),
            border_radius=10,
            padding=ft.Padding.only(left=10, right=4, top=6, bottom=6),
        ),
        f"{upload.name}: {state}",
    )
