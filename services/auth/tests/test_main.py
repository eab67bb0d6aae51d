"""Auth as it is deployed: a process of its own on PostgreSQL and NATS."""

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.auth.tests.stage import PASSWORD
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from tests.engines import nats_url, valkey_url
from tests.surroundings import fresh_postgres


def start(**settings: str) -> "subprocess.Popen[str]":
    if "nats_url" in settings:
        settings.setdefault("valkey_url", valkey_url())
    environment = {f"SIDETONE_AUTH_{name}".upper(): value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "sidetone.auth"],
        env=os.environ | {"SIDETONE_AUTH_PORT": "0"} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(**settings: str) -> "Generator[tuple[subprocess.Popen[str], int]]":
    process = start(**settings)
    assert process.stderr is not None
    try:
        line = json.loads(process.stderr.readline())
        assert line["event"] == "serving"
        yield process, line["port"]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_service_serves_over_tls_from_postgresql_and_stops_on_sigterm(
    tmp_path: Path,
) -> None:
    identity = Identity.open(tmp_path, [], SystemClock().now_ms())
    trusting = ssl.create_default_context(cafile=identity.certificate_file)
    with (
        fresh_postgres() as url,
        running(
            database_url=url, nats_url=nats_url(), host="0.0.0.0", tls_folder=str(tmp_path)
        ) as (process, port),
        httpx.Client(base_url=f"https://localhost:{port}", verify=trusting) as client,
    ):
        assert client.get("/readyz").status_code == 200
        account = {"name": "Ada", "password": PASSWORD}
        login = client.post("/auth/register", json=account).json()
        assert client.post("/auth/register", json=account).status_code == 409
        assert client.post("/auth/login", json=account).status_code == 200
        bearer = {"authorization": f"Bearer {login['access_token']}"}
        assert client.get(f"/auth/users/{login['user']}", headers=bearer).json()["name"] == "Ada"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        rest = process.stderr.read()
    assert json.loads(rest.splitlines()[0])["event"] == "stopping"
    assert "graceful shutdown exceeded" not in rest


def test_of_many_refreshes_at_once_postgresql_lets_one_through() -> None:
    with (
        fresh_postgres() as url,
        running(database_url=url, nats_url=nats_url()) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ThreadPoolExecutor(8) as pool,
    ):
        account = {"name": "Ada", "password": PASSWORD}
        login = client.post("/auth/register", json=account).json()
        token = {"refresh_token": login["refresh_token"]}
        answers = list(pool.map(lambda _: client.post("/auth/refresh", json=token), range(8)))
        succeeded = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(succeeded) <= 1
        for following in succeeded:
            body = {"refresh_token": following["refresh_token"]}
            assert client.post("/auth/refresh", json=body).status_code == 401


def test_two_processes_share_the_keys_they_sign_with() -> None:
    with (
        fresh_postgres() as url,
        running(database_url=url, nats_url=nats_url()) as (_, one),
        running(database_url=url, nats_url=nats_url()) as (_, other),
    ):
        account = {"name": "Ada", "password": PASSWORD}
        login = httpx.post(f"http://127.0.0.1:{one}/auth/register", json=account).json()
        answer = httpx.get(
            f"http://127.0.0.1:{other}/auth/users/{login['user']}",
            headers={"authorization": f"Bearer {login['access_token']}"},
        )
        assert answer.json()["name"] == "Ada"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "SIDETONE_AUTH_DATABASE_URL is not set"),
        ({"database_url": "x", "port": "many"}, "SIDETONE_AUTH_PORT cannot be used"),
        (
            {"database_url": "x", "logins_per_account_per_minute": "0"},
            "SIDETONE_AUTH_LOGINS_PER_ACCOUNT_PER_MINUTE cannot be used",
        ),
        ({"database_url": "x", "providers": "[{}]"}, "SIDETONE_AUTH_PROVIDERS cannot be used"),
        ({"database_url": "x", "smtp_security": "no"}, "SIDETONE_AUTH_SMTP_SECURITY cannot"),
        ({"database_url": "x", "tls_folder": "/dev/null/tls"}, "the TLS identity in"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(settings: dict[str, str], words: str) -> None:
    process = start(**settings)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = err.splitlines()
    assert words in lines[-1]
    assert lines[-1].startswith("sidetone: ")
    assert "Traceback" not in err
