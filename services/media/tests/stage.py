"""Media behind real HTTP, with users, a chat that says who sees what, and a web of its own."""

import io
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpcore
import httpx
import msgspec
from joserfc import jws
from joserfc.jwk import RSAKey
from PIL import Image

from sidetone.credentials.tokens import Claims, key_set, new_private_key
from sidetone.media.app import Policy, build
from sidetone.permissions import Permission
from sidetone.protocol.files import File, FilePurpose, StartUpload, UploadTicket
from sidetone.protocol.ids import ChannelId, FileId, LoginId, UserId
from sidetone.protocol.questions import ChannelRights, TokenKeys, WhatMayUserDo
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import serving
from sidetone.runtime.public_network import PublicNetwork
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files import Files
from sidetone.storage.files_folder import FolderFiles
from tests.contracts.test_files import open_files
from tests.surroundings import open_surroundings

KEY = new_private_key()
HOUR_MS = 60 * 60_000


class MovedClock(SystemClock):
    """Goes on by itself, and further when a test says so."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


class LocalWeb(httpcore.AsyncNetworkBackend):
    """An internet of this machine: hosts have public addresses, all of which lead to *port*.

    *answers* are what a host is resolved to, one after the other; the last one stays.
    """

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, list[list[str]]] = {}
        self.connected: list[str] = []
        self._network = httpcore.AnyIOBackend()

    async def resolve(self, host: str, _: int) -> Sequence[str]:
        answers = self.answers.get(host, [["93.184.216.34"]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> Any:
        self.connected.append(host)
        return await self._network.connect_tcp("127.0.0.1", self.port, timeout=5)


@dataclass
class Stage:
    around: Surroundings
    clock: MovedClock
    client: httpx.AsyncClient
    web: LocalWeb
    files: Files
    # Who sees which channel.
    sights: set[tuple[UserId, ChannelId]] = field(default_factory=set)
    asked: int = 0

    async def rights(self, question: WhatMayUserDo) -> ChannelRights:
        self.asked += 1
        if (question.user, question.channel) not in self.sights:
            raise NotFound("channel_unknown", "no such channel")
        return ChannelRights(int(Permission.VIEW_CHANNEL), 1)

    def user(self) -> "Member":
        return Member(self, UserId(uuid4()))

    def channel(self, *members: "Member") -> ChannelId:
        channel = ChannelId(uuid4())
        self.sights |= {(member.id, channel) for member in members}
        return channel


@dataclass
class Member:
    stage: Stage
    id: UserId

    def __post_init__(self) -> None:
        now_s = self.stage.clock.now_ms() // 1000
        claims = Claims(
            iss="sidetone",
            aud="sidetone",
            sub=self.id,
            sid=LoginId(uuid4()),
            scp=["api"],
            iat=now_s,
            exp=now_s + 10 * 24 * 3600,
            jti=uuid4(),
        )
        header = {"alg": "RS256", "typ": "at+jwt", "kid": "k1"}
        body = msgspec.json.encode(claims)
        token = jws.serialize_compact(header, body, RSAKey.import_key(KEY), algorithms=["RS256"])
        self.headers = {"authorization": f"Bearer {token}"}

    async def start(self, wish: StartUpload) -> httpx.Response:
        return await self.stage.client.post(
            "/media/uploads", content=msgspec.json.encode(wish), headers=self.headers
        )

    async def complete(self, file: FileId) -> httpx.Response:
        return await self.stage.client.post(
            f"/media/uploads/{file}/complete", headers=self.headers
        )

    async def put(self, ticket: UploadTicket, content: bytes) -> httpx.Response:
        return await self.stage.client.put(ticket.url, content=content, headers=ticket.headers)

    async def announce(
        self,
        content: bytes,
        media_type: str = "application/octet-stream",
        purpose: FilePurpose = "attachment",
        name: str = "file.bin",
    ) -> UploadTicket:
        wish = StartUpload(purpose, name, media_type, len(content))
        answer = await self.start(wish)
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=UploadTicket)

    async def bring(
        self,
        content: bytes,
        media_type: str = "application/octet-stream",
        purpose: FilePurpose = "attachment",
        name: str = "file.bin",
    ) -> httpx.Response:
        """Announce, put and complete; return the answer to the last."""
        ticket = await self.announce(content, media_type, purpose, name)
        put = await self.put(ticket, content)
        assert put.is_success, put.text
        return await self.complete(ticket.id)

    async def upload(self, *args: Any, **kwargs: Any) -> File:
        answer = await self.bring(*args, **kwargs)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=File)

    async def read(self, file: FileId, part: str = "", **headers: str) -> httpx.Response:
        return await self.stage.client.get(
            f"/media/files/{file}{part}", headers=self.headers | headers, follow_redirects=True
        )

    async def finds_nothing(self, file: FileId) -> bool:
        """Ask media alone: a bucket may break off what it hands out while that is removed."""
        answer = await self.stage.client.get(f"/media/files/{file}", headers=self.headers)
        return answer.status_code == 404


@asynccontextmanager
async def open_stage(
    topology: Literal["embedded", "distributed"] = "embedded",
    policy: Policy | None = None,
    folder_files: Callable[[Path], FolderFiles] = FolderFiles,
) -> AsyncGenerator[Stage]:
    clock, web = MovedClock(), LocalWeb()
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(open_surroundings(topology, clock))
        if topology == "embedded":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-"))
            files: Files = folder_files(Path(folder))
        else:
            files = await stack.enter_async_context(open_files("s3"))
        router = await build(
            around, files, policy or Policy(sweep_seconds=0.05), PublicNetwork(web, web)
        )
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        stage = Stage(around, clock, client, web, files)
        await around.bus.answer(WhatMayUserDo, stage.rights)
        await around.bus.answer(TokenKeys, published_keys)
        app = app_of([router], around=around)
        port = await stack.enter_async_context(serving(app, "127.0.0.1", 0, clock=clock))
        client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        stack.push_async_callback(around.tasks.close)
        yield stage


async def published_keys(_: TokenKeys) -> bytes:
    return key_set({"k1": KEY})


def picture(
    picture_format: str = "PNG",
    size: tuple[int, int] = (60, 40),
    mode: str = "RGB",
    **options: Any,
) -> bytes:
    output = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(output, picture_format, **options)
    return output.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]
