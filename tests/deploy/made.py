"""The folder of secrets that ``./just secrets`` makes for a deployment, as the pages say it."""

import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType

from tests import engines
from tests.deploy.containers import COMPOSE
from tests.deploy.rendered import ROOT

FOR_COMPOSE = ("--public-host", "voice.example.org")


def make(folder: Path, *options: str) -> None:
    """Make the secrets in *folder*."""
    _script().main([str(folder), *options])


@cache
def made(*options: str) -> Path:
    """Return a folder of secrets that nobody changes."""
    folder = engines.new_folder("secrets") / "made"
    make(folder, *options)
    return folder


def made_for(deployment: str) -> Path:
    """Return the secrets of a deployment."""
    return made(*(FOR_COMPOSE if deployment == COMPOSE else _for_kubernetes()))


def _for_kubernetes() -> list[str]:
    page = (ROOT / "docs" / "kubernetes.md").read_text().replace("\\\n", " ")
    (options,) = re.findall(r"\./just secrets cluster-secrets (.+)", page)
    return shlex.split(options)


def _script() -> ModuleType:
    path = ROOT / "infra" / "scripts" / "new_secrets.py"
    spec = importlib.util.spec_from_file_location("new_secrets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
