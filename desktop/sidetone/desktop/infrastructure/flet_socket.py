"""Flet's end of the socket to a browser, without the web framework that its package brings along.

It needs two names of FastAPI, and these are Starlette's. FastAPI itself, with all that describes
interfaces to others, would take longer to import than everything else until something is drawn,
and 20 MB. Flet is pinned to one version, and because of this as well.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from sidetone.desktop.infrastructure.page_files import flet_files

_PACKAGE: Final = "flet_web.fastapi"
_FRAMEWORK: Final = "fastapi"


@contextmanager
def _framework() -> Generator[None]:
    """Let the framework look imported inside the block, and its package too from then on."""
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(flet_files().parent / "fastapi")]
        sys.modules[_PACKAGE] = package
    if _FRAMEWORK in sys.modules:
        yield
        return
    names: Any = ModuleType(_FRAMEWORK)
    names.WebSocket, names.WebSocketDisconnect = WebSocket, WebSocketDisconnect
    sys.modules[_FRAMEWORK] = names
    try:
        yield
    finally:
        del sys.modules[_FRAMEWORK]


with _framework():
    FletApp: Any = import_module(f"{_PACKAGE}.flet_app").FletApp
    app_manager: Any = import_module(f"{_PACKAGE}.flet_app_manager").app_manager

__all__ = ["FletApp", "WebSocket", "app_manager"]
