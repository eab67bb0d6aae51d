"""Imports beside the loop, which take seconds, one after the other.

Two threads cannot import a package that imports modules of its own, as Flet is, and one of these
modules: each would wait for the other, so Python ends one of them with an error.
"""

import asyncio
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Final

_IMPORTER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="imports")


@contextmanager
def standing_in(modules: Mapping[str, ModuleType | None]) -> Generator[None]:
    """Let *modules* be these inside the block, but for those that are loaded; None: no such."""
    absent = [name for name in modules if name not in sys.modules]
    for name in absent:
        sys.modules[name] = modules[name]  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


async def imported(name: str) -> ModuleType:
    """Return the module *name*, behind those that were asked for before it."""
    return await asyncio.get_running_loop().run_in_executor(_IMPORTER, _import, name)


async def beside_the_loop(work: Callable[[], object]) -> None:
    """Do *work*, which imports something, behind what was asked for before it."""
    await asyncio.get_running_loop().run_in_executor(_IMPORTER, work)


async def imported_whole(name: str) -> None:
    """Import the module *name* and all that it leaves until somebody asks for it."""
    await asyncio.get_running_loop().run_in_executor(_IMPORTER, _import_whole, name)


def _import_whole(name: str) -> None:
    module = _import(name)
    for part in dir(module):
        getattr(module, part)


def _import(name: str) -> ModuleType:
    # What httpx and structlog would print in colours, were they programs of their own.
    with standing_in({"pygments": None, "rich": None}):
        return import_module(name)
