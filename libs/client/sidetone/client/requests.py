"""HTTP requests that carry a login: sent over pinned TLS, answered with a type or a refusal.

Knows tokens and problems, not routes. Trusts nothing of the environment: no proxies, no netrc.
"""

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeAlias, TypeVar, cast
from urllib.parse import urlencode

import httpx
import msgspec

from sidetone.client.pinned import Endpoint, WrongKeyError, wrong_server_key
from sidetone.protocol.accounts import (
    LoggedIn,
    LogIn,
    LoginStep,
    LogInWithCode,
    Refresh,
    Register,
)
from sidetone.protocol.bots import BotLoggedIn, LogInBot
from sidetone.protocol.refusals import Problem, Unauthenticated, Unavailable, refusal_of
from sidetone.protocol.requests import Body

A = TypeVar("A")

Query: TypeAlias = Mapping[str, object]

# A union is no type to the checker, only to msgspec.
_STEP = cast("type[LoginStep]", LoginStep)
_TIMEOUT_SECONDS = 10.0
# A token that expires this soon is renewed first, so that no request meets its end on the way.
EXPIRY_MARGIN_MS = 30_000
# A connection takes so many bytes at once; between pieces others have their turn.
_PIECE_BYTES = 1 << 16


class Requests:
    """One server's HTTP API and the login that it is used with.

    *renewed* hears each login that takes the place of the one before: its refresh token is the
    only one that works from now on.
    """

    def __init__(
        self, endpoint: Endpoint, renewed: Callable[[LoggedIn], None] = lambda _: None
    ) -> None:
        self._renewed_to = renewed
        self._url = endpoint.url
        self._http = httpx.AsyncClient(
            base_url=endpoint.url,
            verify=endpoint.tls,
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            # What the owner of the account reads in the list of where they are signed in.
            headers={"user-agent": f"Sidetone on {platform.system()}"},
        )
        self._login: LoggedIn | None = None
        self._credentials: Register | LogIn | LogInBot | None = None
        self._refreshing = asyncio.Lock()

    @property
    def login(self) -> LoggedIn | None:
        """The login in use."""
        return self._login

    async def sign_in(self, proof: Register | LogIn | LogInBot, code: str = "") -> LoggedIn:
        """Start a login that renews itself until ``sign_out``; *code* is of the second factor.

        The password, or a bot's token, stays in memory: when a refresh token was lost with an
        answer, or expired while the machine slept, the login begins anew and nobody has to come
        and restart it. With a second factor that is not possible.
        """
        self._login = await self._enter(proof, code)
        self._renewed_to(self._login)
        self._credentials = proof
        if isinstance(proof, Register):
            self._credentials = LogIn(proof.name, proof.password)
        return self._login

    async def sign_in_again(self, refresh_token: str) -> LoggedIn:
        """Go on with a login of before, which a *refresh_token* was kept of."""
        body = Refresh(refresh_token)
        self._login = await self.ask_openly("POST", "/auth/refresh", LoggedIn, body)
        self._renewed_to(self._login)
        return self._login

    def sign_in_with(self, login: LoggedIn) -> None:
        """Go on with a *login* that was had in another way."""
        self._login = login
        self._renewed_to(login)

    async def sign_out(self) -> None:
        """End the login here and on the server."""
        login, self._login, self._credentials = self._login, None, None
        if login is not None and login.refresh_token:
            body = Refresh(login.refresh_token)
            self._accepted(await self._send("POST", "/auth/logout", body))

    async def close(self) -> None:
        """Close the connections; the login stays valid on the server."""
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        answer: type[A],
        body: Body | None = None,
        *,
        query: Query | None = None,
    ) -> A:
        """Return the *answer* to a request of the account that is logged in.

        A token near its end is renewed before, and one that is refused is renewed once: requests
        that meet the end together share one renewal, because a refresh token works only once.
        """
        response = await self._authorized(method, _with(path, query), body)
        return self._decode(response, answer)

    async def tell(
        self, method: str, path: str, body: Body | None = None, *, query: Query | None = None
    ) -> None:
        """Make a request of the account that is logged in that has no answer but done."""
        await self._authorized(method, _with(path, query), body)

    async def ask_openly(
        self, method: str, path: str, answer: type[A], body: Body | None = None
    ) -> A:
        """Return the *answer* to a request of nobody yet: on the way in."""
        return self._decode(self._accepted(await self._send(method, path, body)), answer)

    async def tell_openly(self, method: str, path: str, body: Body) -> None:
        """Make a request of nobody that has no answer but done."""
        self._accepted(await self._send(method, path, body))

    async def fetch(self, path: str) -> bytes:
        """Return the bytes at *path*, wherever the server sends us for them."""
        response = await self._authorized("GET", path, None)
        if response.has_redirect_location:
            return (await self._elsewhere("GET", response.headers["location"])).content
        return response.content

    async def put_bytes(
        self,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Bring *content* to where the server told us to; no token goes there.

        *progress* hears how many bytes were handed to the connection.
        """
        length = {"content-length": str(len(content))}
        pieces = _pieces(content, progress)
        await self._elsewhere("PUT", url, headers={**headers, **length}, content=pieces)

    async def fresh_login(self, *, refused: LoggedIn | None = None) -> LoggedIn:
        """Return the login with a token that is good for a while, renewed if need be.

        *refused* is one that the server would not take, whatever it says of itself. Raises
        ``Unauthenticated`` if nobody is logged in.
        """
        login = self._login
        if login is None:
            raise Unauthenticated("not_logged_in", "log in first")
        if login is refused or login.expires_at_ms - EXPIRY_MARGIN_MS < _now_ms():
            login = await self._refresh(login)
        return login

    async def _authorized(self, method: str, path: str, body: Body | None) -> httpx.Response:
        login = await self.fresh_login()
        response = await self._send(method, path, body, login.access_token)
        if response.status_code == httpx.codes.UNAUTHORIZED.value:
            login = await self._refresh(login)
            response = await self._send(method, path, body, login.access_token)
        return self._accepted(response)

    async def _enter(self, proof: Register | LogIn | LogInBot, code: str = "") -> LoggedIn:
        if isinstance(proof, Register):
            return await self.ask_openly("POST", "/auth/register", LoggedIn, proof)
        if isinstance(proof, LogInBot):
            bot = await self.ask_openly("POST", "/auth/bots/token", BotLoggedIn, proof)
            return LoggedIn(bot.user, bot.name, bot.access_token, "", bot.expires_at_ms)
        step: LoginStep = await self.ask_openly("POST", "/auth/login", _STEP, proof)
        if isinstance(step, LoggedIn):
            return step
        if not code:
            raise Unauthenticated(
                "second_factor_required", "this account has a second factor; log in with its code"
            )
        finish = LogInWithCode(step.challenge, code)
        return await self.ask_openly("POST", "/auth/login/code", LoggedIn, finish)

    async def _refresh(self, stale: LoggedIn) -> LoggedIn:
        async with self._refreshing:
            if self._login is not None and self._login is not stale:
                return self._login
            self._login = await self._renewed(stale)
            self._renewed_to(self._login)
            return self._login

    async def _renewed(self, stale: LoggedIn) -> LoggedIn:
        """Return the next tokens, or those of a new login where the old one is over."""
        try:
            if stale.refresh_token:
                body = Refresh(stale.refresh_token)
                return await self.ask_openly("POST", "/auth/refresh", LoggedIn, body)
        except Unauthenticated:
            if self._credentials is None:
                raise
        if self._credentials is None:
            raise Unauthenticated("not_logged_in", "log in first")
        return await self._enter(self._credentials)

    async def _send(
        self, method: str, path: str, body: Body | None, token: str | None = None
    ) -> httpx.Response:
        headers = {"content-type": "application/json"} if body is not None else {}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        content = msgspec.json.encode(body) if body is not None else None
        try:
            return await self._http.request(method, path, content=content, headers=headers)
        except httpx.TransportError as error:
            if _wrong_key(error):
                raise wrong_server_key(f"the server at {self._url}") from None
            raise _unreachable(self._url) from error

    async def _elsewhere(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        """Ask without a token: a path of the server, or a store that it trusts and we check."""
        try:
            if url.startswith("/"):
                response = await self._http.request(method, url, headers=headers, content=content)
            else:
                async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as store:
                    response = await store.request(method, url, headers=headers, content=content)
        except httpx.TransportError as error:
            raise _unreachable(url.partition("?")[0]) from error
        return self._accepted(response)

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success or response.has_redirect_location:
            return response
        try:
            problem = msgspec.json.decode(response.content, type=Problem)
        except (msgspec.DecodeError, ValueError):
            raise Unavailable(
                "server_failed",
                f"{self._url} answered with status {response.status_code} and no reason; "
                "look into the server's log",
            ) from None
        raise refusal_of(problem)

    def _decode(self, response: httpx.Response, answer: type[A]) -> A:
        try:
            return msgspec.json.decode(response.content, type=answer)
        except (msgspec.DecodeError, ValueError):
            raise Unavailable(
                "answer_unknown",
                f"the answer of {self._url} is not understood; is it a Sidetone server of this "
                "version?",
            ) from None


async def _pieces(content: bytes, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]
        progress(min(start + _PIECE_BYTES, len(content)))


def _with(path: str, query: Query | None) -> str:
    """Return *path* with what *query* asks; what is None is left out."""
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(asked, doseq=True)}" if asked else path


def _unreachable(url: str) -> Unavailable:
    return Unavailable(
        "server_unreachable",
        f"no answer from {url}; check that the server runs and that the address and your network "
        "are right",
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _wrong_key(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, WrongKeyError):
            return True
        error = error.__cause__ or error.__context__
    return False
