"""A NATS server as ``sidetone admin nats-config`` sets it up, with a user for each service."""

import time
from functools import cache
from pathlib import Path

from sidetone.all_in_one.nats_config.folder import Folder, Listening
from sidetone.all_in_one.nats_config.integrators import Integrators
from sidetone.bus.access import Access
from tests import engines


class SecuredNats:
    """The server, and the folder of whoever operates it."""

    def __init__(self, engine: engines.Engine, folder: Folder, log: Path) -> None:
        self.url = engine.url
        self.engine = engine
        self.folder = folder
        self.integrators = Integrators(folder, engine.url)
        self._log = log

    def access(self, name: str) -> Access:
        return self.folder.access(name)

    def violations(self) -> list[str]:
        """Return what the server refused so far, for the lack of a permission."""
        return [line for line in self._log.read_text().splitlines() if "Violation" in line]


@cache
def secured_nats() -> SecuredNats:
    """Return the server that all stories of a test run share."""
    return start_secured_nats()


def start_secured_nats() -> SecuredNats:
    """Start a server of the test's own, which survives a kill with its streams."""
    program = engines._program("nats-server", "/usr/sbin")
    if program is None:
        engines.missing("NATS", "apt-get install nats-server")
    version = engines.version_of([str(program), "--version"])
    place, port = engines.new_folder("nats"), engines.free_port()
    folder = Folder(place / "config")
    listening = Listening(
        names=["localhost", "127.0.0.1"],
        folder=str(folder.path),
        data=str(place / "data"),
        host="127.0.0.1",
        port=port,
        monitor=f"127.0.0.1:{engines.free_port()}",
        syncs=not version.startswith("2.9."),
    )
    folder.write(listening, int(time.time() * 1_000))
    engine = engines.Engine(
        f"tls://127.0.0.1:{port}",
        [str(program), "-c", str(folder.path / "nats.conf")],
        place,
        lambda: engines._greets(port, b"INFO"),
    )
    engine.start()
    engines.versions["NATS"] = version
    return SecuredNats(engine, folder, place / "log")
