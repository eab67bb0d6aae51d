"""A voice node behind addresses of two kinds announces the one that the internet knows."""

import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from sidetone.runtime.tls import Identity
from tests.deploy.rendered import ROOT

SCRIPT = ROOT / "k8s" / "components" / "node-address" / "node_address.py"
INSIDE = {"type": "InternalIP", "address": "10.0.0.7"}
OUTSIDE = {"type": "ExternalIP", "address": "192.0.2.7"}


@contextmanager
def kubernetes(folder: Path, addresses: list[dict[str, str]]) -> Generator[int]:
    """Answer as the API does, about one machine, to whoever shows the token."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["authorization"] == "Bearer sesame"
            found = self.path == "/api/v1/nodes/one"
            self.send_response(200 if known and found else 403)
            self.end_headers()
            node = {"metadata": {"name": "one"}, "status": {"addresses": addresses}}
            self.wfile.write(json.dumps(node).encode())

        def log_message(self, *_: object) -> None:
            pass

    identity = Identity.open(folder / "tls", ["127.0.0.1"], time.time_ns() // 1_000_000)
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate_file, identity.key_file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        (folder / "ca.crt").write_bytes(identity.certificate_file.read_bytes())
        (folder / "token").write_text("sesame\n")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(port),
        "NODE_NAME": "one",
    }
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "host"), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_address_outside_is_written_down(tmp_path: Path) -> None:
    with kubernetes(tmp_path, [INSIDE, OUTSIDE]) as port:
        assert ask(tmp_path, port).returncode == 0
    assert (tmp_path / "host").read_text() == OUTSIDE["address"]


def test_a_machine_without_one_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with kubernetes(tmp_path, [INSIDE]) as port:
        answer = ask(tmp_path, port)
    assert answer.returncode == 1
    assert "SIDETONE_SFU_ANNOUNCED_HOST" in answer.stderr
    assert not (tmp_path / "host").exists()


def test_who_may_not_ask_is_told_why(tmp_path: Path) -> None:
    with kubernetes(tmp_path, [OUTSIDE]) as port:
        (tmp_path / "token").write_text("other")
        answer = ask(tmp_path, port)
    assert answer.returncode == 1
    assert "is its role bound?" in answer.stderr
    assert answer.stderr.count("\n") == 1
