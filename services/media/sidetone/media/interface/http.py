"""The HTTP face of media: uploads in, files out."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post, put
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.response import Stream

from sidetone.media.application.complete_upload import CompleteUpload
from sidetone.media.application.ports import Contents, Part
from sidetone.media.application.read_file import ReadFile
from sidetone.media.application.receive_upload import ReceiveUpload
from sidetone.media.application.start_upload import StartUpload
from sidetone.media.domain.bounds import PREVIEW_TYPE
from sidetone.media.domain.byte_range import span_of
from sidetone.media.domain.file_name import disposition
from sidetone.media.domain.holding import Holding, unknown_file
from sidetone.protocol import files
from sidetone.protocol.files import File, UploadTicket
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import responses

PATH = "/media"
DOORWAY_PATH = f"{PATH}/bytes"
# Whatever a file is, it opens nothing, runs nothing and is framed nowhere.
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_CACHED_SECONDS = 3600
_FOUND = 302
_NOT_MODIFIED = 304
_PARTIAL = 206


def _bytes_spec(description: str) -> ResponseSpec:
    return ResponseSpec(bytes, generate_examples=False, description=description, media_type="*/*")


_GIVEN = {
    206: _bytes_spec("The part that Range asked for."),
    302: ResponseSpec(
        None, generate_examples=False, description="Where the bytes are for a while."
    ),
    304: ResponseSpec(None, generate_examples=False, description="You have them already."),
    **responses(404),
}


class UseCases(msgspec.Struct, frozen=True):
    """Everything that can be asked of media over HTTP."""

    start_upload: StartUpload
    receive_upload: ReceiveUpload
    complete_upload: CompleteUpload
    read_file: ReadFile


def routes(media: UseCases, contents: Contents, uploads: Limiter, bytes_max: int) -> Router:
    """Bind the use cases to their paths; no upload has more than *bytes_max*."""
    handlers = [*_uploads(media, uploads), _bytes(media, bytes_max), *_files(media, contents)]
    return Router(PATH, route_handlers=handlers, tags=["media"])


def _uploads(media: UseCases, uploads: Limiter) -> Sequence[HTTPRouteHandler]:
    @post("/uploads", operation_id="start_upload", responses=responses(422, 429))
    async def start(user: UserId, data: files.StartUpload) -> UploadTicket:
        """Announce a file and learn where its bytes go."""
        await uploads.take(str(user))
        return await media.start_upload(user, data)

    @post(
        "/uploads/{file:uuid}/complete",
        operation_id="complete_upload",
        status_code=200,
        responses=responses(404, 409, 422, 429),
    )
    async def complete(file: UUID, user: UserId) -> File:
        """Have the bytes of an upload checked, and the file made of them."""
        await uploads.take(str(user))
        return await media.complete_upload(user, FileId(file))

    return [start, complete]


def _bytes(media: UseCases, bytes_max: int) -> HTTPRouteHandler:
    @put(
        "/bytes/{secret:str}",
        operation_id="put_upload_bytes",
        status_code=204,
        request_max_body_size=bytes_max,
        body_media_type="application/octet-stream",
        responses=responses(404, 409, 422),
    )
    async def receive(secret: str, request: AnyRequest) -> None:
        """Bring the bytes of an upload; the URL is the permission, and opens nothing else."""
        length = request.headers.get("content-length", "")
        try:
            await media.receive_upload(
                secret,
                request.headers.get("content-type", ""),
                int(length) if length.isdecimal() and length.isascii() else None,
                request.stream(),
            )
        except HTTPException as error:
            raise _gone_or_too_large(error) from error

    return receive


def _gone_or_too_large(error: HTTPException) -> Exception:
    """Return *error*, or that the sender left, which is no fault of ours."""
    if error.status_code < 500:  # noqa: PLR2004 - server errors
        return error
    return Unavailable("upload_broken_off", "the bytes ended early; send them again")


def _files(media: UseCases, contents: Contents) -> Sequence[HTTPRouteHandler]:
    @get("/files/{file:uuid}", operation_id="read_file", media_type="*/*", responses=_GIVEN)
    async def read(file: UUID, user: UserId, request: AnyRequest) -> Response[Any]:
        """Return a file: a picture to be shown, anything else for download."""
        holding = await media.read_file(user, FileId(file), "raw")
        part: Part = "picture" if holding.is_picture else "raw"
        return await _given(contents, holding, part, request)

    @get(
        "/files/{file:uuid}/preview",
        operation_id="read_preview",
        media_type="*/*",
        responses=_GIVEN,
    )
    async def preview(file: UUID, user: UserId, request: AnyRequest) -> Response[Any]:
        """Return the small copy of a picture."""
        holding = await media.read_file(user, FileId(file), "preview")
        return await _given(contents, holding, "preview", request)

    return [read, preview]


async def _given(
    contents: Contents, holding: Holding, part: Part, request: AnyRequest
) -> Response[Any]:
    """Return the bytes of *part*, or where the store gives them out itself."""
    media_type = PREVIEW_TYPE if part == "preview" else holding.file.media_type
    kind = "inline" if holding.is_picture else "attachment"
    shown_as = disposition(kind, holding.file.name)
    url = await contents.address(holding.file.id, part, media_type, shown_as)
    if url is not None:
        return Response(b"", status_code=_FOUND, headers={"location": url})
    # What is under an id never changes. Of a stream the framework believes the headers alone.
    headers = {
        "content-type": media_type,
        "etag": f'"{holding.file.id}"',
        "cache-control": f"private, max-age={_CACHED_SECONDS}, immutable",
        "content-disposition": shown_as,
        "content-security-policy": _POLICY,
        "accept-ranges": "bytes",
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=_NOT_MODIFIED, headers=headers)
    size_bytes = await contents.size_of(holding.file.id, part)
    if size_bytes is None:
        raise unknown_file()
    span = span_of(request.headers.get("range"), size_bytes)
    start, length = (0, size_bytes) if span is None else (span.start, span.length)
    headers["content-length"] = str(length)
    if span is not None:
        headers["content-range"] = span.content_range()
    return Stream(
        await _begun(contents.read(holding.file.id, part, start, length)),
        status_code=200 if span is None else _PARTIAL,
        headers=headers,
    )


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return *pieces* once the first is here: a file that went meanwhile is still a refusal."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()
