"""The ceremonies of WebAuthn. The only module that knows the library."""

import json
from collections.abc import Sequence
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sidetone.auth.application.proof_ports import Credential, Registered
from sidetone.auth.domain.account import Account
from sidetone.protocol.refusals import Invalid, Unauthenticated

# Ed25519, ES256 and RS256: every authenticator in use has one of them.
_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_TIMEOUT_MS = 5 * 60_000


class WebAuthnCeremonies:
    """Ceremonies of one relying party: its id is a domain, *origins* are where its clients run."""

    def __init__(self, rp_id: str, rp_name: str, origins: Sequence[str]) -> None:
        self._rp_id = rp_id
        self._rp_name = rp_name
        self._origins = list(origins)

    def ask_for_new(
        self, user: Account, challenge: bytes, known: Sequence[bytes]
    ) -> dict[str, Any]:
        """Return the options to make a discoverable credential that is not one of *known*."""
        options = webauthn.generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._rp_name,
            user_name=user.name,
            user_id=user.id.bytes,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            supported_pub_key_algs=_ALGORITHMS,
        )
        return json.loads(webauthn.options_to_json(options))

    def check_new(self, answer: dict[str, Any], challenge: bytes) -> Registered:
        """Return what was made. Raises ``Invalid``."""
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
                require_user_verification=True,
                supported_pub_key_algs=_ALGORITHMS,
            )
        except _FAULTS:
            raise Invalid(
                "passkey_invalid", "the authenticator's answer does not hold; begin again"
            ) from None
        return Registered(made.credential_id, made.credential_public_key, made.sign_count)

    def ask_for_use(self, challenge: bytes, allowed: Sequence[bytes]) -> dict[str, Any]:
        """Return the options to use one of *allowed*; none: any, if it verifies its user."""
        verification = UserVerificationRequirement
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
            user_verification=verification.PREFERRED if allowed else verification.REQUIRED,
        )
        return json.loads(webauthn.options_to_json(options))

    def credential_of(self, answer: dict[str, Any]) -> bytes | None:
        """Return which credential an answer claims to be of, before it is believed."""
        text = answer.get("rawId")
        if not isinstance(text, str):
            return None
        try:
            return base64url_to_bytes(text)
        except _FAULTS:
            return None

    def check_use(
        self, answer: dict[str, Any], challenge: bytes, known: Credential, *, verified: bool
    ) -> int:
        """Return the counter after the use. *verified*: by PIN or finger, not presence alone.

        Raises ``Unauthenticated``; a counter that went back is a copied authenticator.
        """
        try:
            used = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origins,
                credential_public_key=known.public_key,
                credential_current_sign_count=known.uses,
                require_user_verification=verified,
            )
        except _FAULTS:
            raise Unauthenticated(
                "passkey_wrong", "the passkey's answer does not hold; try it again"
            ) from None
        return used.new_sign_count


# The library lets errors of its decoders through for what no authenticator sends.
_FAULTS = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError)
