"""Media as it is deployed: a process of its own on the real engines."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.contracts.test_files import bucket
from tests.engines import nats_url, valkey_url
from tests.surroundings import fresh_postgres


def start(**settings: str) -> "subprocess.Popen[str]":
    environment = {f"SIDETONE_MEDIA_{name}".upper(): value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "sidetone.media"],
        env=os.environ | {"SIDETONE_MEDIA_PORT": "0"} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def engines(url: str) -> dict[str, str]:
    return {"database_url": url, "nats_url": nats_url(), "valkey_url": valkey_url()}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("store", ["folder", "s3"])
def test_the_service_serves_and_stops_on_sigterm(tmp_path: Path, store: str) -> None:
    place = bucket()
    files = {
        "folder": {"files_folder": str(tmp_path / "files")},
        "s3": {
            "s3_url": place.url,
            "s3_bucket": place.name,
            "s3_access_key": place.access_key,
            "s3_secret_key": place.secret_key,
        },
    }[store]
    with fresh_postgres() as url:
        process = start(**engines(url), **files)
        assert process.stderr is not None
        try:
            line = json.loads(process.stderr.readline())
            assert line["event"] == "serving"
            with httpx.Client(base_url=f"http://127.0.0.1:{line['port']}") as client:
                assert client.get("/readyz").status_code == 200
                assert client.post("/media/uploads", json={}).status_code == 401
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


def test_a_service_without_a_place_for_files_says_so() -> None:
    process = start(database_url="postgresql://127.0.0.1:1/none")
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "set SIDETONE_MEDIA_S3_URL or SIDETONE_MEDIA_FILES_FOLDER" in told
    assert told.count("\n") == 1
