"""Check what was uploaded."""

import contextlib
from dataclasses import dataclass

import msgspec

from sidetone.media.application.ports import Contents, Holdings, Pictures, Scanner, Sniffer
from sidetone.media.domain.bounds import bounds_of
from sidetone.media.domain.holding import PICTURES_ONLY, Holding, unknown_file
from sidetone.media.domain.media_types import HEAD_BYTES, download_type, picture_type
from sidetone.protocol.files import File
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.refusals import Conflict, Invalid, Unavailable
from sidetone.runtime.clock import Clock
from sidetone.telemetry.metrics import counter

# Longer than any check takes: who reserved one and died is waited for until then.
_CHECK_MS_MAX = 3 * 60_000
_UPLOADS = counter(
    "sidetone_media_uploads_total", "Uploads that were checked, by what came of it.", "outcome"
)
_READY, _REFUSED = _UPLOADS.labels("ready"), _UPLOADS.labels("refused")


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    """Take the bytes out of quarantine, look at them, and make pictures anew.

    The bytes are moved before they are looked at: whoever still holds the doorway can put others
    there and changes nothing. Whoever asks again after a success gets the same answer.
    """

    holdings: Holdings
    contents: Contents
    pictures: Pictures
    scanner: Scanner
    sniff: Sniffer
    clock: Clock

    async def __call__(self, user: UserId, file: FileId) -> File:
        """Return the file as it is now. Raises ``Refusal``; ``Invalid`` ends the upload."""
        holding = await self.holdings.find(file)
        if holding.owner != user:
            raise unknown_file()
        if holding.state in {"ready", "claimed"}:
            return holding.file
        now_ms = self.clock.now_ms()
        busy_until_ms = now_ms + _CHECK_MS_MAX
        if not await self.holdings.begin_check(file, now_ms, busy_until_ms):
            raise Conflict("upload_being_checked", "this upload is being checked; ask again soon")
        checked = None
        try:
            checked = await self._checked(holding)
            file_made = await self._finish(checked, busy_until_ms)
            _READY.inc()
            return file_made
        except Invalid:
            _REFUSED.inc()
            await self.holdings.drop([file])
            raise
        finally:
            if checked is None:
                # Something was away, or the caller is: the same request may come again.
                await self.holdings.put_off_check(file, busy_until_ms)

    async def _checked(self, holding: Holding) -> Holding:
        size_bytes = await self.contents.take_in(holding)
        if size_bytes is None:
            raise Conflict(
                "upload_incomplete", "the bytes have not come yet; PUT them, then complete"
            )
        if size_bytes != holding.file.size_bytes:
            raise Invalid(
                "file_size_wrong", f"{holding.file.size_bytes} bytes were announced, others came"
            )
        file = holding.file
        await self.scanner.scan(self.contents.read(file.id, "raw"))
        head = b"".join(
            [piece async for piece in self.contents.read(file.id, "raw", 0, HEAD_BYTES)]
        )
        sniffed = self.sniff(head)
        picture = picture_type(file.media_type, sniffed)
        if picture is not None:
            return await self._painted(holding, picture)
        if holding.purpose in PICTURES_ONLY:
            raise Invalid("picture_expected", "this must be a PNG, JPEG, WebP or GIF picture")
        media_type = download_type(file.media_type, sniffed, head)
        return msgspec.structs.replace(
            holding, file=msgspec.structs.replace(file, media_type=media_type)
        )

    async def _painted(self, holding: Holding, media_type: str) -> Holding:
        file = holding.file
        picture = await self.pictures.paint(
            self.contents.read(file.id, "raw"),
            media_type.rpartition("/")[2].upper(),
            bounds_of(holding.purpose),
        )
        await self.contents.keep_picture(file.id, picture)
        anew = msgspec.structs.replace(
            file,
            media_type=picture.media_type,
            size_bytes=len(picture.content),
            width=picture.width,
            height=picture.height,
        )
        return msgspec.structs.replace(holding, file=anew)

    async def _finish(self, checked: Holding, busy_until_ms: int) -> File:
        if not await self.holdings.finish_check(checked, busy_until_ms):
            raise unknown_file()
        if checked.is_picture:
            # Nobody can read what is left here, and it goes with the file at the latest.
            with contextlib.suppress(Unavailable):
                await self.contents.forget_raw(checked.file.id)
        return checked.file
