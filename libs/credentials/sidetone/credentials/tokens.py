"""Access tokens: JWT signed with RS256 (RFC 9068 profile), and the key set that verifies them.

A verifier accepts RS256 alone, takes keys by ``kid`` from the key set it was given, and never
looks at what the token says about keys (``jku``, ``x5u``, ``jwk``).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Unauthenticated

LIFETIME_SECONDS = 600
TOKEN_LENGTH_MAX = 4096
# What a person's token is good for: everything. Bots have some of the other scopes.
EVERYTHING = "api"

_ALGORITHM = "RS256"
_TYPE = "at+jwt"
_KEY_BITS = 3072

VerifyKeys: TypeAlias = Mapping[str, RSAKey]


class TokenPolicy(msgspec.Struct, frozen=True):
    """Who issues tokens, and for whom; a verifier accepts no other."""

    issuer: str = "sidetone"
    audience: str = "sidetone"


DEFAULT_POLICY = TokenPolicy()


class Claims(msgspec.Struct, frozen=True):
    """What a token says (RFC 7519 names; times in seconds).

    ``sid`` is the login, ``scp`` what the token is good for: whoever takes it looks there.
    """

    iss: str
    aud: str
    sub: UserId
    sid: LoginId
    scp: list[str]
    iat: int
    exp: int
    jti: UUID


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str
    kid: str


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, str]]


class TokenSigner:
    """Signs access tokens with one RSA key."""

    def __init__(self, kid: str, private_pem: bytes, policy: TokenPolicy) -> None:
        self._header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": kid}
        self._key = RSAKey.import_key(private_pem)
        self._policy = policy

    def sign(
        self,
        user: UserId,
        login: LoginId,
        jti: UUID,
        now_ms: int,
        scopes: Sequence[str] = (EVERYTHING,),
    ) -> tuple[str, int]:
        """Return a token for *login* of *user*, and when it expires in milliseconds."""
        issued_at = now_ms // 1000
        claims = Claims(
            iss=self._policy.issuer,
            aud=self._policy.audience,
            sub=user,
            sid=login,
            scp=list(scopes),
            iat=issued_at,
            exp=issued_at + LIFETIME_SECONDS,
            jti=jti,
        )
        token = jws.serialize_compact(
            self._header, msgspec.json.encode(claims), self._key, algorithms=[_ALGORITHM]
        )
        return token, claims.exp * 1000


def new_private_key() -> bytes:
    """Make an RSA key of 3072 bits, as PEM. Takes up to a second: not for an event loop."""
    return RSAKey.generate_key(_KEY_BITS, private=True, auto_kid=False).as_pem(private=True)


def key_set(private_pems: Mapping[str, bytes]) -> bytes:
    """Return the public halves of the keys, by kid, as a JSON Web Key Set."""
    keys = [
        RSAKey.import_key(pem).as_dict(private=False, kid=kid, use="sig", alg=_ALGORITHM)
        for kid, pem in private_pems.items()
    ]
    return msgspec.json.encode({"keys": keys})


def read_key_set(document: bytes) -> VerifyKeys:
    """Return the RS256 keys of a JSON Web Key Set; other kinds of keys are left out."""
    return {
        key["kid"]: RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
        for key in msgspec.json.decode(document, type=_KeySet).keys
        if key.get("kty") == "RSA" and key.get("alg") == _ALGORITHM and "kid" in key
    }


def kid_of(token: str) -> str:
    """Return the key id that *token* names, before anything about it is believed.

    Raises ``Unauthenticated`` if it does not even claim to be one of our tokens.
    """
    if len(token) > TOKEN_LENGTH_MAX:
        raise _invalid()
    try:
        header = msgspec.convert(jws.extract_compact(token.encode()).headers(), _Header)
    except (JoseError, ValueError):
        raise _invalid() from None
    if header.alg != _ALGORITHM or header.typ.lower() != _TYPE:
        raise _invalid()
    return header.kid


def verify(token: str, keys: VerifyKeys, policy: TokenPolicy, now_ms: int) -> Claims:
    """Return what *token* says if one of *keys* signed it and it is for us and still valid.

    Raises ``Unauthenticated`` with code ``token_expired`` or, for every other fault alike,
    ``token_invalid``.
    """
    key = keys.get(kid_of(token))
    if key is None:
        raise _invalid()
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[_ALGORITHM]).payload
        claims = msgspec.json.decode(payload or b"", type=Claims)
    except (JoseError, ValueError):
        raise _invalid() from None
    if claims.iss != policy.issuer or claims.aud != policy.audience:
        raise _invalid()
    if claims.exp * 1000 <= now_ms:
        raise Unauthenticated("token_expired", "the access token has expired; refresh it")
    return claims


def _invalid() -> Unauthenticated:
    return Unauthenticated("token_invalid", "the access token is not valid; log in again")
