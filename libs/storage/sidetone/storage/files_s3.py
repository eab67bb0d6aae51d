"""Files in a bucket of an S3 store: Amazon's own, MinIO, Ceph, Garage, rclone.

The only module that knows aiobotocore, which has no types.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from collections.abc import AsyncIterable, AsyncIterator, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from sidetone.protocol.refusals import Refusal
from sidetone.storage import EngineAway, StorageError
from sidetone.storage.files import (
    REMOVED_AT_ONCE_MAX,
    SignedUpload,
    Stored,
    exactly,
    files_away,
    require_key,
    unknown_file,
)

_PIECE_BYTES = 256 * 1024
_TAKEN = frozenset({"BucketAlreadyExists", "BucketAlreadyOwnedByYou"})
_LISTED_MAX = 1000
_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_CONNECTIONS_MAX = 50


class Bucket(msgspec.Struct, frozen=True):
    """Where a bucket is and who we are there; *public_url* is how clients reach the store."""

    url: str
    name: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    public_url: str | None = None


class S3Files:
    """Files of one bucket, which belongs to us alone."""

    def __init__(self, client: Any, signer: Any, bucket: str, closing: AsyncExitStack) -> None:  # noqa: ANN401 - the vendor has no types
        self._client = client
        self._signer = signer
        self._bucket = bucket
        self._closing = closing

    @classmethod
    async def open(cls, bucket: Bucket) -> "S3Files":
        """Connect to *bucket*, and make it where it is missing. Raises ``StorageError``."""
        closing = AsyncExitStack()
        try:
            client = await closing.enter_async_context(_client(bucket, bucket.url))
            signer = client
            if bucket.public_url is not None:
                signer = await closing.enter_async_context(_client(bucket, bucket.public_url))
            await _require_bucket(client, bucket.name)
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            await closing.aclose()
            remedy = "check that the store runs, the URL, the keys and that the bucket is ours"
            is_away = isinstance(error, BotoCoreError | OSError)
            kind = EngineAway if is_away else StorageError
            raise kind(f"cannot open bucket {bucket.name}: {error}; {remedy}") from error
        return cls(client, signer, bucket.name, closing)

    async def close(self) -> None:
        """Close every connection."""
        await self._closing.aclose()

    async def sign_upload(
        self, key: str, media_type: str, size_bytes: int, lifetime_seconds: int
    ) -> SignedUpload | None:
        """Sign a PUT with its type and its length, so that no other is taken."""
        require_key(key)
        place = {"Bucket": self._bucket, "Key": key}
        params = {**place, "ContentType": media_type, "ContentLength": size_bytes}
        url = await self._sign("put_object", params, lifetime_seconds)
        return SignedUpload(url, {"content-type": media_type, "content-length": str(size_bytes)})

    async def sign_download(
        self, key: str, media_type: str, disposition: str, lifetime_seconds: int
    ) -> str | None:
        """Sign a GET that answers with our headers, whatever was put."""
        require_key(key)
        params = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": media_type,
            "ResponseContentDisposition": disposition,
        }
        return await self._sign("get_object", params, lifetime_seconds)

    async def _sign(self, call: str, params: dict[str, Any], lifetime_seconds: int) -> str:
        url: str = await self._signer.generate_presigned_url(
            call, Params=params, ExpiresIn=lifetime_seconds
        )
        return url

    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield a part of the file, also from a store that does not know ranges."""
        require_key(key)
        if length == 0:
            return
        end = "" if length is None else str(start + length - 1)
        with _refusals():
            params = {"Bucket": self._bucket, "Key": key}
            if start or end:
                params["Range"] = f"bytes={start}-{end}"
            answer = await self._client.get_object(**params)
            # rclone sends a part with status 200.
            partial = "ContentRange" in answer
            async with answer["Body"] as body:
                pieces = body.iter_chunks(_PIECE_BYTES)
                async for piece in _part(pieces, 0 if partial else start, length):
                    yield piece

    async def write(
        self, key: str, pieces: AsyncIterable[bytes], size_bytes: int, media_type: str
    ) -> None:
        """Put *pieces*; they are in memory together, for the signature covers them all."""
        require_key(key)
        content = b"".join([piece async for piece in exactly(pieces, size_bytes)])
        with _refusals():
            await self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=media_type
            )

    async def move(self, source: str, target: str) -> None:
        """Copy within the store, then delete the source."""
        require_key(source)
        require_key(target)
        with _refusals():
            origin = {"Bucket": self._bucket, "Key": source}
            await self._client.copy_object(Bucket=self._bucket, Key=target, CopySource=origin)
            await self._client.delete_object(**origin)

    async def remove(self, keys: Sequence[str]) -> None:
        """Delete *keys* in one request."""
        for key in keys:
            require_key(key)
        objects = [{"Key": key} for key in keys[:REMOVED_AT_ONCE_MAX]]
        if objects:
            with _refusals():
                await self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
                )

    async def stat(self, key: str) -> Stored | None:
        """Ask for the headers of the file."""
        require_key(key)
        try:
            with _refusals():
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
        except Refusal as refusal:
            if refusal.code == unknown_file().code:
                return None
            raise
        return Stored(key, head["ContentLength"], _ms(head["LastModified"]))

    async def under(self, prefix: str, count_max: int, after: str = "") -> Sequence[Stored]:
        """List the first files of the folder *prefix* behind *after*."""
        require_key(prefix.rstrip("/"))
        with _refusals():
            answer = await self._client.list_objects_v2(
                Bucket=self._bucket,
                Prefix=prefix,
                MaxKeys=min(count_max, _LISTED_MAX),
                **({"StartAfter": after} if after else {}),
            )
        return [
            Stored(found["Key"], found["Size"], _ms(found["LastModified"]))
            for found in answer.get("Contents", [])
        ]


def _client(bucket: Bucket, url: str) -> Any:  # noqa: ANN401 - the vendor has no types
    config = AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=2,
        read_timeout=10,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=_CONNECTIONS_MAX,
        # Stores other than Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return get_session().create_client(
        "s3",
        endpoint_url=url,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        config=config,
    )


async def _require_bucket(client: Any, name: str) -> None:  # noqa: ANN401 - the vendor has no types
    try:
        await client.head_bucket(Bucket=name)
    except ClientError as error:
        if _code(error) not in {*_ABSENT, "NoSuchBucket"}:
            raise
    else:
        return
    try:
        await client.create_bucket(Bucket=name)
    except ClientError as error:
        if _code(error) not in _TAKEN:
            raise
        # Another process of ours was faster; if it is somebody else's, this says so.
        await client.head_bucket(Bucket=name)


async def _part(
    pieces: AsyncIterable[bytes], skipped: int, length: int | None
) -> AsyncIterator[bytes]:
    """Yield *length* bytes of *pieces* after the first *skipped*."""
    async for whole in pieces:
        piece = whole[skipped:] if length is None else whole[skipped : skipped + length]
        skipped = max(0, skipped - len(whole))
        if piece:
            yield piece
        if length is not None:
            length -= len(piece)
            if length == 0:
                return


def _ms(date: Any) -> int:  # noqa: ANN401 - the vendor has no types
    return int(date.timestamp() * 1000)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _refusals() -> Generator[None]:
    try:
        yield
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise unknown_file() from error
        raise files_away(_code(error)) from error
    except (BotoCoreError, OSError, TimeoutError) as error:
        raise files_away(type(error).__name__) from error
