"""Media as a process of its own: PostgreSQL, NATS, Valkey, and a folder or a bucket."""

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from sidetone.media.app import Policy, build
from sidetone.media.application.ports import Quota
from sidetone.media.domain.holding import Sizes
from sidetone.media.settings import Settings
from sidetone.runtime.deployment import Served, run_process, served
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files import Files
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.files_s3 import Bucket, S3Files


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_MEDIA", os.environ)
    policy = Policy(
        Sizes(attachment_bytes_max=settings.attachment_bytes_max),
        Quota(bytes_per_day_max=settings.bytes_per_user_per_day_max),
        uploads_per_user=Limit(settings.uploads_per_user_per_minute, 60_000),
        clamd=settings.clamd,
    )

    async def make(around: Surroundings, closing: AsyncExitStack) -> Served:
        files = await closing.enter_async_context(_files(settings))
        return served(settings, around, [await build(around, files, policy)])

    await run_process(settings, make)


@asynccontextmanager
async def _files(settings: Settings) -> AsyncGenerator[Files]:
    """Open the store that *settings* name."""
    if settings.s3_url is not None:
        bucket = Bucket(
            settings.s3_url,
            settings.s3_bucket,
            settings.s3_access_key,
            settings.s3_secret_key,
            settings.s3_region,
            settings.s3_public_url,
        )
        store = await S3Files.open(bucket)
        try:
            yield store
        finally:
            await store.close()
    elif settings.files_folder is not None:
        yield FolderFiles(settings.files_folder)


if __name__ == "__main__":
    run(main)
