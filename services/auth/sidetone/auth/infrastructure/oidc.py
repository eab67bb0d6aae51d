"""OpenID providers over HTTP: discovery, authorization requests, codes, ID tokens.

OpenID Connect Core 1.0, RFC 6749, RFC 7636 (PKCE with S256 alone), RFC 8252 (native clients),
RFC 9207 (issuer in the answer). Nothing that a provider sends is believed before its signature,
issuer, audience, time and nonce hold.
"""

import base64
import hashlib
import re
import ssl
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sidetone.auth.application.proof_ports import Asked, Person
from sidetone.protocol.accounts import Provider
from sidetone.protocol.refusals import Invalid, NotFound, Unauthenticated, Unavailable
from sidetone.runtime.clock import Clock

LOOPBACK_PATH = "/oauth/callback"

_ALGORITHMS = ["RS256", "ES256", "PS256"]
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})" + LOOPBACK_PATH)
_PORT_MAX = 65_535
_SECONDS_MAX = 5.0
_BYTES_MAX = 256 * 1024
_METADATA_HELD_MS = 3_600_000
_KEYS_ASKED_EVERY_MS = 60_000
_CLOCK_SKEW_SECONDS = 60


class ProviderPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider that the operator trusts. *redirect_uris* are allowed besides loopback."""

    id: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = ""
    scope: str = "openid profile"
    redirect_uris: list[str] = []


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class _IdToken(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int
    nonce: str = ""
    azp: str = ""
    preferred_username: str = ""
    nickname: str = ""


class OidcProviders:
    """All providers of this server."""

    def __init__(self, policies: Sequence[ProviderPolicy], clock: Clock) -> None:
        self._policies = {policy.id: policy for policy in policies}
        self._links = {policy.id: _Link(policy, clock) for policy in policies}

    @property
    def listed(self) -> list[Provider]:
        """Return what clients may offer."""
        return [Provider(policy.id, policy.title) for policy in self._policies.values()]

    def require_redirect(self, provider: str, redirect_uri: str) -> None:
        """Raise ``NotFound`` or ``Invalid`` unless the browser may come back there."""
        if provider not in self._policies:
            raise NotFound("provider_unknown", "there is no such provider; list them")
        loopback = _LOOPBACK.fullmatch(redirect_uri)
        if loopback is not None and int(loopback[2]) <= _PORT_MAX:
            return
        if redirect_uri not in self._policies[provider].redirect_uris:
            raise Invalid(
                "redirect_not_allowed",
                f"come back to http://127.0.0.1:PORT{LOOPBACK_PATH}, or where the operator allows",
            )

    async def authorize_url(self, provider: str, asked: Asked) -> str:
        """Return where to send the browser. Raises ``Unavailable``."""
        return await self._links[provider].authorize_url(asked)

    async def redeem(self, provider: str, asked: Asked, code: str, iss: str) -> Person:
        """Exchange the code. Raises ``Unauthenticated``, or ``Unavailable``."""
        link = self._links.get(provider)
        if link is None:
            raise _refused()
        return await link.redeem(asked, code, iss)


class _Link:
    """One provider, with what it said of itself."""

    def __init__(self, policy: ProviderPolicy, clock: Clock) -> None:
        self._policy = policy
        self._trusting = ssl.create_default_context()
        self._clock = clock
        self._metadata: tuple[_Metadata, int] | None = None
        self._keys: KeySet | None = None
        self._keys_asked_at_ms = 0

    async def authorize_url(self, asked: Asked) -> str:
        metadata = await self._discovered()
        digest = hashlib.sha256(asked.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._policy.client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": self._policy.scope,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        separator = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{separator}{urlencode(query)}"

    async def redeem(self, asked: Asked, code: str, iss: str) -> Person:
        metadata = await self._discovered()
        required = metadata.authorization_response_iss_parameter_supported
        # The mix-up defence: the answer must be of the provider that was asked.
        if (iss or required) and iss != metadata.issuer:
            raise _refused()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect_uri,
            "client_id": self._policy.client_id,
            "code_verifier": asked.verifier,
        }
        if self._policy.client_secret:
            form["client_secret"] = self._policy.client_secret
        document = await self._ask("POST", metadata.token_endpoint, form)
        try:
            token = msgspec.json.decode(document, type=_Tokens).id_token
        except msgspec.MsgspecError:
            raise _refused() from None
        claims = await self._verified(token, metadata)
        self._require_ours(claims, asked)
        return Person(claims.sub, claims.preferred_username or claims.nickname)

    async def _verified(self, token: str, metadata: _Metadata) -> _IdToken:
        keys = self._keys
        for again in (False, True):
            if keys is None or again:
                keys = await self._fetched_keys(metadata)
            try:
                payload = jws.deserialize_compact(token, keys, algorithms=_ALGORITHMS).payload
                return msgspec.json.decode(payload or b"", type=_IdToken)
            except (JoseError, ValueError):
                # The provider may have a new key.
                continue
        raise _refused()

    def _require_ours(self, claims: _IdToken, asked: Asked) -> None:
        now = self._clock.now_ms() // 1000
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        ours = self._policy.client_id
        holds = (
            claims.iss == self._policy.issuer
            and ours in audience
            and (claims.azp or ours) == ours
            and (len(audience) == 1 or claims.azp == ours)
            and claims.exp > now - _CLOCK_SKEW_SECONDS
            and claims.iat <= now + _CLOCK_SKEW_SECONDS
            and claims.nonce == asked.nonce
            and 0 < len(claims.sub) <= 255  # noqa: PLR2004 - the bound of OpenID Connect Core
        )
        if not holds:
            raise _refused()

    async def _discovered(self) -> _Metadata:
        now_ms = self._clock.now_ms()
        if self._metadata is not None and now_ms - self._metadata[1] < _METADATA_HELD_MS:
            return self._metadata[0]
        issuer = self._policy.issuer
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            metadata = msgspec.json.decode(await self._ask("GET", url), type=_Metadata)
        except msgspec.MsgspecError:
            raise self._unavailable() from None
        endpoints = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
        if metadata.issuer != issuer or not all(map(_is_safe, (issuer, *endpoints))):
            raise self._unavailable()
        self._metadata = (metadata, now_ms)
        return metadata

    async def _fetched_keys(self, metadata: _Metadata) -> KeySet:
        now_ms = self._clock.now_ms()
        if self._keys is not None and now_ms - self._keys_asked_at_ms < _KEYS_ASKED_EVERY_MS:
            return self._keys
        document = await self._ask("GET", metadata.jwks_uri)
        try:
            self._keys = KeySet.import_key_set(msgspec.json.decode(document))
        except (JoseError, ValueError, KeyError, TypeError):
            raise self._unavailable() from None
        self._keys_asked_at_ms = now_ms
        return self._keys

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> bytes:
        """Return the body of a good answer, of bounded size; no redirect is followed."""
        try:
            async with (
                httpx.AsyncClient(verify=self._trusting, timeout=_SECONDS_MAX) as client,
                client.stream(method, url, data=form) as answer,
            ):
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _BYTES_MAX:
                        raise self._unavailable()
        except httpx.HTTPError:
            raise self._unavailable() from None
        if form is not None and answer.is_client_error:
            raise _refused()
        if not answer.is_success:
            raise self._unavailable()
        return body

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            "provider_unavailable", f"{self._policy.title} does not answer; try again later"
        )


def _is_safe(url: str) -> bool:
    """Tell whether *url* is HTTPS, or plain HTTP that does not leave this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    )


def _refused() -> Unauthenticated:
    return Unauthenticated("provider_refused", "the provider did not confirm this; begin again")
