"""Show what is behind a link."""

import secrets
from dataclasses import dataclass

from sidetone.media.application.look_at_link import LookAtLink
from sidetone.media.application.ports import Contents, Holdings
from sidetone.media.domain.bounds import PREVIEW_TYPE, Picture
from sidetone.media.domain.holding import Holding
from sidetone.media.domain.links import public_link
from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, FileId
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class PreviewLink:
    """Return what a page says of itself, with a copy of its picture for one channel.

    Each answer has a copy of its own: it goes with the message, and who sees the channel may see
    it. Members' machines never ask the page, which would learn who reads what and when.
    """

    look: LookAtLink
    holdings: Holdings
    contents: Contents
    clock: Clock

    async def __call__(self, url: str, channel: ChannelId) -> LinkPreview | None:
        """Return the preview, None where there is none to show. Raises ``Unavailable``."""
        if public_link(url) is None:
            return None
        sight = await self.look(url.partition("#")[0])
        if sight is None:
            return None
        page = sight.page
        image = None if sight.picture is None else await self._keep(sight.picture, channel)
        return LinkPreview(url, page.title, page.description, page.site, image)

    async def _keep(self, picture: Picture, channel: ChannelId) -> FileId:
        name = FileId(self.clock.new_id())
        file = File(
            name, "preview.webp", PREVIEW_TYPE, len(picture.content), picture.width, picture.height
        )
        await self.contents.keep_picture(name, picture)
        await self.holdings.add(
            Holding(
                file,
                "attachment",
                owner=None,
                state="claimed",
                quarantine=secrets.token_hex(16),
                created_at_ms=self.clock.now_ms(),
                channel=channel,
            )
        )
        return name
