"""A process starts before its engines do: it is alive, says what is missing, and goes on alone."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import engines


@contextmanager
def service(name: str, **settings: str) -> "Generator[subprocess.Popen[str]]":
    environment = {f"SIDETONE_{name}_{key}".upper(): value for key, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", f"sidetone.{name}"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: "subprocess.Popen[str]", event: str) -> dict[str, object]:
    """Return the next line of the log that tells of *event*."""
    assert process.stderr is not None
    for line in process.stderr:
        entry: dict[str, object] = json.loads(line)
        if entry["event"] == event:
            return entry
    pytest.fail(f"it ended without {event}")


@pytest.mark.parametrize("away", ["PostgreSQL", "Valkey", "NATS"])
def test_a_service_waits_for_an_engine_and_says_which(away: str) -> None:
    with (
        engines.start_postgres() as postgres,
        engines.start_valkey() as valkey,
        engines.start_nats() as nats,
    ):
        missing = {"PostgreSQL": postgres, "Valkey": valkey, "NATS": nats}[away]
        missing.kill()
        urls = {"database_url": postgres.url, "valkey_url": valkey.url, "nats_url": nats.url}
        with service("gateway", port="0", leave_seconds="0", **urls) as process:
            waiting = said(process, "waiting")
            with httpx.Client(base_url=f"http://127.0.0.1:{waiting['port']}") as client:
                assert client.get("/livez").status_code == 200
                refused = client.get("/readyz")
                assert refused.status_code == 503
                assert int(refused.headers["retry-after"]) >= 1
                assert away in refused.json()["detail"]
                assert socket_status(client) == 503
                missing.start()
                said(process, "serving")
                assert client.get("/readyz").status_code == 200
                assert socket_status(client) == 101
            process.terminate()
            assert process.wait(20) == 0


def socket_status(client: httpx.Client) -> int:
    """Return how the gateway answers who wants a socket."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), 5) as way:
        way.sendall(
            b"GET /gateway HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
            b"connection: upgrade\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        return int(way.recv(64).split()[1])


def test_a_voice_node_waits_for_the_bus(tmp_path: Path) -> None:
    with engines.start_nats() as nats:
        nats.kill()
        process = subprocess.Popen(
            [sys.executable, "-m", "sidetone.all_in_one", "sfu", "--workers", "1"],
            env={
                **os.environ,
                "SIDETONE_SFU_BUS": nats.url,
                "SIDETONE_SFU_TLS_FOLDER": str(tmp_path),
                "SIDETONE_SFU_HOST": "127.0.0.1",
                "SIDETONE_SFU_DRAIN_SECONDS": "0",
                "SIDETONE_SFU_LOG_FORM": "json",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said(process, "waiting")
            nats.start()
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["port"] > 0
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.communicate()
