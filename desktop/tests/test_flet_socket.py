"""Flet's end of the socket to a browser comes without a web framework."""

import json
import subprocess
import sys

_LOOK = """
import json, sys
from sidetone.desktop.infrastructure import flet_socket
print(json.dumps([
    flet_socket.Window.__base__.__module__,
    sorted({name.partition(".")[0] for name in sys.modules} & {"fastapi", "pydantic"}),
]))
"""


def test_no_web_framework_is_imported_for_a_window() -> None:
    found = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, check=True)
    assert json.loads(found.stdout) == ["flet_web.fastapi.flet_app", []]
