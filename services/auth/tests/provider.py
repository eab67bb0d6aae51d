"""An OpenID provider that keeps the rules, and breaks one when a test says so.

Authorization code with PKCE S256 alone (RFC 7636), exact redirect URIs where only the port of a
loopback address is free (RFC 8252), codes that work once and for a minute (RFC 6749), the issuer
in the answer (RFC 9207).
"""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msgspec
from joserfc import jws
from joserfc.jwk import RSAKey
from litestar import Litestar, Request, Response, get, post

from sidetone.runtime.clock import Clock
from sidetone.runtime.process import serving

CLIENT_ID = "sidetone-test"
CLIENT_SECRET = "of the client"
CODE_LIFETIME_MS = 60_000


class Code(msgspec.Struct):
    query: dict[str, str]
    until_ms: int
    used: bool = False


class OpenIdProvider:
    """Everybody who comes is *subject*, and agrees."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.issuer = ""
        self.subject = "person-1"
        self.username = "ada"
        self.key = RSAKey.generate_key(2048, private=True, auto_kid=False)
        self.kid = "k1"
        self.codes: dict[str, Code] = {}
        # What a test changes: claims of the ID token, fields of the metadata, the signing.
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.forged_key: RSAKey | None = None
        self.down = False
        self.asked: list[dict[str, str]] = []

    def authorize(self, url: str) -> dict[str, str]:
        """Do as a browser at *url*: return the query that comes back to the redirect URI."""
        query = dict(parse_qsl(urlsplit(url).query))
        redirect = urlsplit(query["redirect_uri"])
        if query["client_id"] != CLIENT_ID or query["response_type"] != "code":
            raise AssertionError("unauthorized_client")
        if (redirect.scheme, redirect.hostname, redirect.path) != (
            "http",
            "127.0.0.1",
            "/oauth/callback",
        ):
            raise AssertionError("redirect_uri is not registered")
        if query.get("code_challenge_method") != "S256" or len(query["code_challenge"]) != 43:
            raise AssertionError("PKCE with S256 is required")
        if "openid" not in query["scope"].split():
            raise AssertionError("invalid_scope")
        code = secrets.token_urlsafe(32)
        self.codes[code] = Code(query, self.clock.now_ms() + CODE_LIFETIME_MS)
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def redeem(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        code = self.codes.get(form.get("code", ""))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            form.get("grant_type") != "authorization_code"
            or (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET)
            or code is None
            or code.used
            or code.until_ms <= self.clock.now_ms()
            or form.get("redirect_uri") != code.query["redirect_uri"]
            or code.query["code_challenge"] != challenge
        ):
            return 400, {"error": "invalid_grant"}
        code.used = True
        return 200, {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "id_token": self._id_token(code.query["nonce"]),
        }

    def _id_token(self, nonce: str) -> str:
        now = self.clock.now_ms() // 1000
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": self.username,
        }
        payload = json.dumps(claims | self.claims).encode()
        header = {"alg": "RS256", "kid": self.kid}
        key = self.forged_key or self.key
        return jws.serialize_compact(header, payload, key, algorithms=["RS256"])

    def app(self) -> Litestar:
        @get("/.well-known/openid-configuration")
        async def metadata() -> Response[dict[str, Any]]:
            body = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize?prompt=login",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "authorization_response_iss_parameter_supported": True,
            }
            return Response(body | self.metadata, status_code=503 if self.down else 200)

        @get("/jwks")
        async def jwks() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False, kid=self.kid, alg="RS256")]}

        @post("/token")
        async def token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
            form = {
                name: values[0]
                for name, values in parse_qs((await request.body()).decode()).items()
            }
            self.asked.append(form)
            status, body = self.redeem(form)
            return Response(body, status_code=503 if self.down else status)

        return Litestar([metadata, jwks, token], openapi_config=None, logging_config=None)


@asynccontextmanager
async def open_provider(clock: Clock) -> AsyncGenerator[OpenIdProvider]:
    provider = OpenIdProvider(clock)
    async with serving(provider.app(), "127.0.0.1", 0, clock=clock) as port:
        provider.issuer = f"http://127.0.0.1:{port}"
        yield provider


def with_query(url: str, **changes: str | None) -> str:
    """Return *url* with other values in its query; None takes one away."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()
