"""Each service as a process of its own, started and stopped as an operator does."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest

from tests import engines
from tests.secured_nats import secured_nats
from tests.surroundings import fresh_postgres

SERVICES = (
    "auth",
    "chat",
    "gateway",
    "integrations",
    "media",
    "presence",
    "search-indexer",
    "voice",
)
# What is a part of another one.
PARTS = {"search-indexer": ("chat", "search-indexer")}


def run(service: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    module, *argument = PARTS.get(service, (service,))
    return subprocess.Popen(
        [sys.executable, "-m", f"sidetone.{module}", *argument],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(service: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run *service* on the real engines, and yield the process with its URL."""
    prefix = f"SIDETONE_{service.replace('-', '_').upper()}"
    nats = secured_nats()
    access = nats.access(PARTS.get(service, (service,))[0])
    with fresh_postgres() as database, tempfile.TemporaryDirectory() as files:
        process = run(
            service,
            {
                f"{prefix}_DATABASE_URL": database,
                f"{prefix}_NATS_URL": nats.url,
                f"{prefix}_NATS_CREDENTIALS": str(access.credentials),
                f"{prefix}_NATS_CA": str(access.ca),
                "SIDETONE_INTEGRATIONS_EVENTS_CREDENTIALS": str(
                    nats.access("publisher").credentials
                ),
                f"{prefix}_VALKEY_URL": engines.valkey_url(),
                f"{prefix}_PORT": "0",
                "SIDETONE_MEDIA_FILES_FOLDER": files,
                # Nobody is there: it waits.
                "SIDETONE_SEARCH_INDEXER_TYPESENSE_URL": "http://127.0.0.1:1",
                "SIDETONE_SEARCH_INDEXER_TYPESENSE_API_KEY": "key",
            },
        )
        try:
            yield process, f"http://127.0.0.1:{port_of(process)}"
        finally:
            process.kill()
            process.communicate()


def port_of(process: subprocess.Popen[str]) -> int:
    """Return the port that the log tells."""
    assert process.stderr
    for line in process.stderr:
        entry = json.loads(line)
        if entry["event"] == "serving":
            return entry["port"]
    pytest.fail("it ended before it served")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_serves_and_stops_when_told(service: str) -> None:
    with running(service) as (process, url):
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert httpx.get(f"{url}/livez").status_code == 200
        # Nobody answers for token keys here: auth runs elsewhere or not yet.
        asked = httpx.get(f"{url}/chat/servers", headers={"authorization": "Bearer x"})
        assert asked.status_code in {401, 404, 503}
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        entries = [json.loads(line) for line in errors.splitlines()]
        assert "stopping" in [entry["event"] for entry in entries]
        assert [entry for entry in entries if entry["level"] == "error"] == []


@pytest.mark.parametrize("service", ["chat", "voice"])
def test_what_cannot_start_says_why_in_one_line(service: str) -> None:
    prefix = f"SIDETONE_{service.upper()}"
    process = run(service, {f"{prefix}_DATABASE_URL": "x", f"{prefix}_PORT": "many"})
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("sidetone: ")
    assert errors.count("\n") == 1
