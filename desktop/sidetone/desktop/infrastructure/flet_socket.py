"""Flet's end of the socket to a browser, without the web framework that its package brings along.

It needs two names of FastAPI, and these are Starlette's. FastAPI itself, with all that describes
interfaces to others, would take longer to import than everything else until something is drawn,
and 20 MB. Flet is pinned to one version, and because of this as well.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from sidetone.desktop.infrastructure.importing import standing_in
from sidetone.desktop.infrastructure.page_files import flet_files

_names: Any = ModuleType("fastapi")
_names.WebSocket, _names.WebSocketDisconnect = WebSocket, WebSocketDisconnect
# The package itself would import all that is in it.
_package: Any = ModuleType("flet_web.fastapi")
_package.__path__ = [str(flet_files().parent / "fastapi")]
sys.modules.setdefault(_package.__name__, _package)

with standing_in({"fastapi": _names}):
    FletApp: Any = import_module("flet_web.fastapi.flet_app").FletApp
    app_manager: Any = import_module("flet_web.fastapi.flet_app_manager").app_manager

__all__ = ["FletApp", "WebSocket", "WebSocketDisconnect", "app_manager"]
