"""Show a monitor or a window of this machine to the call."""

import asyncio

from sidetone.desktop.application.voice_call import VoiceCall
from sidetone.protocol.refusals import Unavailable
from sidetone.video import VideoError
from sidetone.video.capture import Screen, Subject
from sidetone.video.quality import QUALITIES


async def list_shown() -> list[Screen]:
    """Return what can be shown. Raises ``Unavailable`` where nothing can."""
    # Not at the top: it loads what takes pictures, which few ever need.
    from sidetone.video.screens import list_screens  # noqa: PLC0415

    try:
        return await asyncio.to_thread(list_screens)
    except VideoError as error:
        raise Unavailable("nothing_to_show", str(error)) from None


async def show_screen(voice: VoiceCall, subject: Subject, quality: str) -> None:
    """Show *subject* in one of the QUALITIES. Raises a ``Refusal`` that says why not."""
    await voice.joined.share_screen(subject, QUALITIES[quality])
    voice.told_of_call()
