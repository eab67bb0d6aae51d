"""Decide at the start whether the fast path can be used here, and say once why not."""

import structlog

from sidetone.native import prepare
from sidetone.quic import aead, system
from sidetone.voice_sfu.application.ports import Evidence, NoEvidence
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.infrastructure.fastpath import control, loop
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from sidetone.voice_sfu.infrastructure.fastpath.self_test import check

_log = structlog.get_logger()


def start(rates: Rates, evidence: Evidence) -> FastPath | None:
    """Return a fast path that has been tried, or None: then the plain server does the work."""
    if not system.AVAILABLE:
        return _without("this system cannot send datagrams in batches; Linux can")
    if not aead.AVAILABLE:
        return _without("Nettle 3 is missing; on Debian or Ubuntu: sudo apt install libnettle8")
    try:
        check()
        # What the check does not run would compile while the first members wait.
        prepare(loop.run, control.send_frame)
    except Exception as error:
        return _without(f"its self-test failed: {type(error).__name__}: {error}")
    observer = None if isinstance(evidence, NoEvidence) else evidence.forwarded
    return FastPath(rates.packets_per_second, rates.bits_per_second, observer)


def _without(reason: str) -> None:
    _log.warning("fast_path_off", reason=reason)
