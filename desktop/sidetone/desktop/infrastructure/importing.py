"""Imports beside the loop, which take seconds, one after the other.

Two threads cannot import a package that imports modules of its own, as Flet is, and one of these
modules: each would wait for the other, so Python ends one of them with an error.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import Final

_IMPORTER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="imports")


async def imported(name: str) -> ModuleType:
    """Return the module *name*, behind those that were asked for before it."""
    return await asyncio.get_running_loop().run_in_executor(_IMPORTER, import_module, name)
