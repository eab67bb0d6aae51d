"""Bring files to the server while a message is being written."""

import asyncio
import mimetypes
from collections.abc import Callable, Coroutine
from typing import Any, Final

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.draft import FILES_MAX, Draft, Upload
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Invalid, Refusal

# How much nearer to its end an upload is each time it is told of.
_STEP: Final = 0.02
# More than any server takes by default times four: what is larger is not even read.
FILE_BYTES_MAX: Final = 100 << 20


class UploadFiles:
    """Uploads of one channel's draft: each on its own, each can be taken back."""

    def __init__(self, account: Account, channel: ChannelId) -> None:
        self._account = account
        self._channel = channel

    @property
    def draft(self) -> Draft:
        """What the files belong to."""
        return self._account.knowledge.timeline(self._channel).draft

    def add(
        self,
        name: str,
        size_bytes: int,
        read: Callable[[], Coroutine[Any, Any, bytes]],
        media_type: str = "",
    ) -> None:
        """Begin to bring a file, which *read* gives. Raises ``Invalid`` for one too many."""
        if len(self.draft.uploads) >= FILES_MAX:
            raise Invalid(
                "attachments_too_many",
                f"a message carries at most {FILES_MAX} files; send the others in another one",
            )
        key = str(self._account.clock.new_id())
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        upload = Upload(key, name, size_bytes, kind)
        self.draft.uploads.append(upload)
        task = asyncio.ensure_future(self._bring(upload, read))
        upload.cancel = task.cancel
        self._tell()

    def remove(self, upload: Upload) -> None:
        """Take a file out of the draft."""
        upload.cancel()
        self.draft.uploads = [each for each in self.draft.uploads if each is not upload]
        self._tell()

    async def _bring(self, upload: Upload, read: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
        def progress(count: int) -> None:
            done = count / max(1, upload.size_bytes)
            if done - upload.progress >= _STEP:
                upload.progress = done
                self._tell()

        try:
            if upload.size_bytes > FILE_BYTES_MAX:
                raise Invalid(
                    "file_too_large", f"a file has at most {FILE_BYTES_MAX >> 20} MB; share a link"
                )
            content = await read()
            if not content:
                raise Invalid("file_empty", tr("This file is empty; choose another one."))
            upload.file = await self._account.client.api.media.upload(
                content, upload.name, upload.media_type, progress=progress
            )
        except Refusal as refusal:
            upload.problem = refusal.detail
        except OSError as error:
            why = error.strerror or str(error)
            upload.problem = tr("This file cannot be read ({why}); choose another one.", why=why)
        self._tell()

    def _tell(self) -> None:
        self._account.told(topics(Topic("draft", self._channel)))
