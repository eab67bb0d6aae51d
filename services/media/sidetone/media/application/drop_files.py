"""Forget files whose place is gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.media.application.ports import Holdings
from sidetone.protocol.ids import FileId
from sidetone.protocol.questions import MANY_MAX
from sidetone.protocol.refusals import Invalid


@dataclass(frozen=True, slots=True)
class DropFiles:
    """Hide files at once; their bytes go with the next sweep."""

    holdings: Holdings

    async def __call__(self, files: Sequence[FileId]) -> None:
        """Drop *files*; unknown ones are left out."""
        if len(files) > MANY_MAX:
            raise Invalid("files_too_many", f"drop at most {MANY_MAX} files at once")
        await self.holdings.drop(files)
