"""The folder that holds everything about NATS: keys, credentials, and the server's file.

It is written again whenever services change what they say; keys and certificates' authority stay,
so that credentials which were given out go on counting. Whoever has the folder is the operator.
"""

from pathlib import Path
from typing import Final

import msgspec

from sidetone.all_in_one.nats_config import claims
from sidetone.all_in_one.nats_config.certificates import write_certificates
from sidetone.all_in_one.nats_config.claims import ACCOUNT, OPERATOR, USER, Key
from sidetone.all_in_one.nats_config.grants import (
    Grant,
    for_keeper,
    for_publisher,
    for_service,
    for_steward,
    for_system,
)
from sidetone.all_in_one.nats_config.uses import uses_of
from sidetone.bus.access import Access
from sidetone.runtime.files import create_once, write_atomically
from sidetone.runtime.start import StartError

HTTP_SERVICES: Final = ("auth", "chat", "gateway", "integrations", "media", "presence", "voice")
INDEXER: Final = "search-indexer"
# Who writes the public stream, who makes places in it, who sees to the journal, and who changes
# accounts.
PUBLISHER: Final = "publisher"
STEWARD: Final = "steward"
KEEPER: Final = "keeper"
SYSTEM: Final = "system"


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens and keeps what it has, as it sees its own files.

    *names* are those that services reach it by; *folder* is where this folder is for the server.
    """

    names: list[str]
    folder: str
    data: str
    host: str = "0.0.0.0"  # noqa: S104 - services come from other machines
    port: int = 4222
    monitor: str = "127.0.0.1:8222"
    syncs: bool = True


class Folder:
    """Keys and credentials on disk, made when they are first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, listening: Listening, now_ms: int) -> None:
        """Write the server's file, its certificate and everybody's credentials.

        Raises ``StartError`` for a folder that cannot be used.
        """
        try:
            for name in ("", "keys", "credentials", "tls", "integrators"):
                (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            write_certificates(self.path / "tls", listening.names, now_ms)
            for name, grant in service_grants().items():
                self._sign_service(name, grant, now_ms)
            write_atomically(
                self.path / "nats.conf", self._server_file(listening, now_ms).encode(), mode=0o600
            )
        except OSError as error:
            raise StartError(
                f"{self.path} cannot be written: {error}; choose another folder"
            ) from None

    def access(self, name: str) -> Access:
        """Return how the user *name* of this installation connects."""
        return Access(self.credentials_of(name), self.path / "tls" / "ca.pem")

    def credentials_of(self, name: str) -> Path:
        """Return the file that *name* signs in with."""
        return self.path / "credentials" / f"{name}.creds"

    def key(self, name: str, kind: int) -> Key:
        """Return the key called *name*, drawn now if it is new."""
        path = self.path / "keys" / f"{name}.seed"
        create_once(path, Key.new(kind).seed.encode(), mode=0o600)
        return Key(path.read_text("utf-8"))

    def sign(
        self, account: str, name: str, grant: Grant, now_ms: int, expires: int | None = None
    ) -> str:
        """Return the credentials of user *name* in *account*, with *grant* until *expires*."""
        key = self.key(f"user-{name}", USER)
        issuer = self.key(f"account-{account}", ACCOUNT)
        token = issuer.sign(claims.user(name, key.public, grant, expires), now_ms // 1_000)
        return claims.credentials(token, key)

    def account_token(self, account: str, now_ms: int) -> str:
        """Return what the operator says of *account*, with those who are revoked in it."""
        key = self.key(f"account-{account}", ACCOUNT)
        revoked = self.revoked() if account == "integrators" else {}
        said = claims.account(account, key.public, revoked, streams=account != "system")
        return self.key("operator", OPERATOR).sign(said, now_ms // 1_000)

    def revoked(self) -> dict[str, int]:
        """Return the public keys of users who count no more, and since when in seconds."""
        path = self.path / "integrators" / "revoked.json"
        if not path.exists():
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])

    def revoke(self, public: str, now_ms: int) -> None:
        """Note that what was signed for *public* until now counts no more."""
        revoked = self.revoked() | {public: now_ms // 1_000}
        path = self.path / "integrators" / "revoked.json"
        write_atomically(path, msgspec.json.format(msgspec.json.encode(revoked)), mode=0o600)

    def _sign_service(self, name: str, grant: Grant, now_ms: int) -> None:
        content = self.sign(_account_of(name), name, grant, now_ms)
        write_atomically(self.credentials_of(name), content.encode(), mode=0o600)

    def _server_file(self, listening: Listening, now_ms: int) -> str:
        tokens = {
            self.key(f"account-{name}", ACCOUNT).public: self.account_token(name, now_ms)
            for name in ("system", "services", "integrators")
        }
        system = self.key("account-system", ACCOUNT).public
        operator = self.key("operator", OPERATOR)
        said = claims.operator("sidetone", operator.public, system)
        preload = "\n".join(f'  {public}: "{token}"' for public, token in tokens.items())
        return _SERVER_FILE.format(
            at=listening,
            operator=operator.sign(said, now_ms // 1_000),
            system=system,
            preload=preload,
            sync="\n  sync_interval: always" if listening.syncs else "",
        )


def service_grants() -> dict[str, Grant]:
    """Return what each user of this installation may do, integrators aside."""
    grants = {
        name: for_service(name, uses_of(f"sidetone.{name}", http=True)) for name in HTTP_SERVICES
    }
    grants["sfu"] = for_service("sfu", uses_of("sidetone.voice_sfu", http=False))
    # It is a part of chat, and connects as chat does.
    grants[INDEXER] = for_service(INDEXER, uses_of("sidetone.chat", http=True))
    return grants | {
        PUBLISHER: for_publisher(PUBLISHER),
        STEWARD: for_steward(STEWARD),
        KEEPER: for_keeper(KEEPER),
        SYSTEM: for_system(SYSTEM),
    }


def _account_of(name: str) -> str:
    if name == SYSTEM:
        return "system"
    return "integrators" if name in {PUBLISHER, STEWARD} else "services"


_SERVER_FILE: Final = """\
# Written by `sidetone admin nats-config`; write it again instead of editing it.
# It holds no secret but the path of the TLS key: tokens are public, their keys stay in `keys/`.
server_name: sidetone
listen: "{at.host}:{at.port}"
http: "{at.monitor}"
max_payload: 1MB

tls {{
  cert_file: "{at.folder}/tls/server.pem"
  key_file: "{at.folder}/tls/server-key.pem"
  timeout: 5
}}

jetstream {{
  store_dir: "{at.data}"{sync}
}}

operator: "{operator}"
system_account: "{system}"
resolver {{
  type: full
  dir: "{at.data}/accounts"
  allow_delete: false
  interval: "2m"
}}
resolver_preload {{
{preload}
}}
"""
