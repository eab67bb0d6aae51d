"""HTTP requests that carry a login: sent over pinned TLS, answered with a type or a refusal.

Knows tokens and problems, not routes. Trusts nothing of the environment: no proxies, no netrc.
"""

import asyncio
import time
from typing import TypeVar

import httpx
import msgspec

from sidetone.client.pinned import Endpoint, WrongKeyError, wrong_server_key
from sidetone.protocol.accounts import LoggedIn, LogIn, Refresh, Register
from sidetone.protocol.refusals import Problem, Unauthenticated, Unavailable, refusal_of
from sidetone.protocol.requests import Body

A = TypeVar("A")

_TIMEOUT_SECONDS = 10.0
# A token that expires this soon is renewed first, so that no request meets its end on the way.
EXPIRY_MARGIN_MS = 30_000


class Requests:
    """One server's HTTP API and the login that it is used with."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.url
        self._http = httpx.AsyncClient(
            base_url=endpoint.url,
            verify=endpoint.tls,
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
        )
        self._login: LoggedIn | None = None
        self._credentials: LogIn | None = None
        self._refreshing = asyncio.Lock()

    @property
    def login(self) -> LoggedIn | None:
        """The login in use."""
        return self._login

    async def sign_in(self, path: str, body: Register | LogIn) -> LoggedIn:
        """Start a login that renews itself until ``sign_out``.

        The password stays in memory: when a refresh token was lost with an answer, or expired
        while the machine slept, a bot logs in anew and nobody has to come and restart it.
        """
        self._login = await self._request("POST", path, LoggedIn, body)
        self._credentials = LogIn(body.name, body.password)
        return self._login

    async def sign_out(self) -> None:
        """End the login here and on the server."""
        login, self._login, self._credentials = self._login, None, None
        if login is not None:
            body = Refresh(login.refresh_token)
            self._accepted(await self._send("POST", "/auth/logout", body))

    async def close(self) -> None:
        """Close the connections; the login stays valid on the server."""
        await self._http.aclose()

    async def ask(self, method: str, path: str, answer: type[A], body: Body | None = None) -> A:
        """Return the *answer* to a request of the account that is logged in.

        A token near its end is renewed before, and one that is refused is renewed once: requests
        that meet the end together share one renewal, because a refresh token works only once.
        """
        response = await self._authorized(method, path, body)
        return self._decode(response, answer)

    async def tell(self, method: str, path: str, body: Body | None = None) -> None:
        """Make a request of the account that is logged in that has no answer but done."""
        await self._authorized(method, path, body)

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

    async def _refresh(self, stale: LoggedIn) -> LoggedIn:
        async with self._refreshing:
            if self._login is not None and self._login is not stale:
                return self._login
            body = Refresh(stale.refresh_token)
            try:
                login = await self._request("POST", "/auth/refresh", LoggedIn, body)
            except Unauthenticated:
                if self._credentials is None:
                    raise
                login = await self._request("POST", "/auth/login", LoggedIn, self._credentials)
            self._login = login
            return login

    async def _request(self, method: str, path: str, answer: type[A], body: Body) -> A:
        return self._decode(self._accepted(await self._send(method, path, body)), answer)

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
            raise Unavailable(
                "server_unreachable",
                f"no answer from {self._url}; check that the server runs and that the address "
                "and your network are right",
            ) from error

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
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


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _wrong_key(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, WrongKeyError):
            return True
        error = error.__cause__ or error.__context__
    return False
