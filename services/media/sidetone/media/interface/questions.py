"""The questions that media answers for other services."""

from collections.abc import Sequence

from sidetone.bus import Bus
from sidetone.media.application.claim_files import ClaimFiles
from sidetone.media.application.drop_files import DropFiles
from sidetone.media.application.preview_link import PreviewLink
from sidetone.protocol import questions
from sidetone.protocol.files import File, LinkPreview


async def answer_questions(
    bus: Bus, claim_files: ClaimFiles, drop_files: DropFiles, preview_link: PreviewLink
) -> None:
    """Register every answer."""

    async def claim(question: questions.ClaimFiles) -> Sequence[File]:
        return await claim_files(question)

    async def drop(question: questions.DropFiles) -> None:
        await drop_files(question.files)

    async def preview(question: questions.PreviewLink) -> LinkPreview | None:
        return await preview_link(question.url, question.channel)

    await bus.answer(questions.ClaimFiles, claim)
    await bus.answer(questions.DropFiles, drop)
    await bus.answer(questions.PreviewLink, preview)
