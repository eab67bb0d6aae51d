"""Let the user choose files, and read them: from the disk, or by the page that they are in."""

import asyncio
from pathlib import Path

import flet as ft

from sidetone.desktop.application.arrivals import Arriving
from sidetone.desktop.application.upload_files import FILE_BYTES_MAX
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface.view import View
from sidetone.protocol.refusals import Unavailable


class Picked:
    """A file that was chosen, and not read yet."""

    def __init__(self, picking: "_Picking", file: ft.FilePickerFile) -> None:
        self.name = file.name
        self.size_bytes = file.size
        self._picking = picking
        self._file = file

    async def read(self) -> bytes:
        """Return what is in it. Raises ``Unavailable`` where that cannot be."""
        if self._file.path is None:
            return await self._picking.bring(self._file)
        try:
            return await asyncio.to_thread(Path(self._file.path).read_bytes)
        except OSError as error:
            why = error.strerror or str(error)
            words = tr("This file cannot be read ({why}); choose another one.", why=why)
            raise Unavailable("file_unread", words) from error


class _Picking:
    """One choice; what is chosen can be read as long as this is held."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._arriving: dict[str, Arriving] = {}
        self.picker = ft.FilePicker(on_upload=self._told)

    async def bring(self, file: ft.FilePickerFile) -> bytes:
        """Have the page send *file*, and return what is in it."""
        arriving = self._arriving[file.name] = self._view.arrivals.expect(FILE_BYTES_MAX)
        where = ft.FilePickerUploadFile(upload_url=arriving.path, id=file.id)
        await self.picker.upload([where])
        return await arriving.content()

    def _told(self, event: ft.FilePickerUploadEvent) -> None:
        arriving = self._arriving.get(event.file_name)
        if event.error and arriving is not None:
            arriving.failed(
                Unavailable("file_unread", tr("The file did not arrive; choose it again."))
            )


async def pick(view: View, *endings: str, several: bool = False) -> list[Picked]:
    """Return the files that the user chose, of these *endings* if there are any."""
    picking = _Picking(view)
    kind = ft.FilePickerFileType.CUSTOM if endings else ft.FilePickerFileType.ANY
    found = await picking.picker.pick_files(
        file_type=kind, allowed_extensions=list(endings) or None, allow_multiple=several
    )
    return [Picked(picking, each) for each in found]
