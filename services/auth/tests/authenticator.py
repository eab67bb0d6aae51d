"""An authenticator made of software: P-256, ES256, attestation "none", real CBOR."""

import base64
import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT = 0x01
USER_VERIFIED = 0x04
ATTESTED = 0x40


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """Holds one discoverable credential, and does as a browser on *origin* tells it."""

    def __init__(self, origin: str = "https://localhost", *, verifies: bool = True) -> None:
        self.origin = origin
        self.credential = os.urandom(32)
        self.user = b""
        self.uses = 0
        self._flags = USER_PRESENT | (USER_VERIFIED if verifies else 0)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Answer a request for a new credential (RegistrationResponseJSON)."""
        self.user = decode(options["user"]["id"])
        client_data = self._client_data("webauthn.create", options, changes)
        attestation = cbor2.dumps(
            {"fmt": "none", "attStmt": {}, "authData": self._data(options["rp"]["id"], made=True)}
        )
        return self._answer(
            {"clientDataJSON": encode(client_data), "attestationObject": encode(attestation)}
        )

    def use(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Answer a request to prove presence (AuthenticationResponseJSON)."""
        self.uses += 1
        client_data = self._client_data("webauthn.get", options, changes)
        data = self._data(changes.get("rp_id", options["rpId"]), made=False)
        signed = data + hashlib.sha256(client_data).digest()
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(changes.get("signature", signature)),
                "userHandle": encode(self.user),
            }
        )

    def _client_data(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        return json.dumps(
            {
                "type": changes.get("kind", kind),
                "challenge": changes.get("asked", options["challenge"]),
                "origin": changes.get("origin", self.origin),
                "crossOrigin": False,
            }
        ).encode()

    def _data(self, rp_id: str, *, made: bool) -> bytes:
        flags = self._flags | (ATTESTED if made else 0)
        data = hashlib.sha256(rp_id.encode()).digest()
        data += bytes([flags]) + self.uses.to_bytes(4, "big")
        if not made:
            return data
        numbers = self._key.public_key().public_numbers()
        key = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        length = len(self.credential).to_bytes(2, "big")
        return data + bytes(16) + length + self.credential + cbor2.dumps(key)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": encode(self.credential),
            "rawId": encode(self.credential),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
