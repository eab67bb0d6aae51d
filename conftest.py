"""How the whole suite runs: properties without a deadline, and a word on what it ran against."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from tests import engines, turns

# How fast something is belongs to the benchmarks; a slow example is not a wrong one.
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Doctests import every module, and these can be imported only where their libraries are.
collect_ignore = [
    "libs/audio/sidetone/audio/echo.py",
    "libs/audio/sidetone/audio/rnnoise.py",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a cluster under test keep messages where a large one does."""
    parser.addoption(
        "--cql", action="store_true", help="keep messages of a cluster in a Cassandra"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test have its turn; it is first, because waiting is no part of a test's time."""
    with turns.turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that runs the workers which engines this worker ran."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["engines"] = dict(engines.versions)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - pytest-xdist has no types
    """Gather what a worker ran."""
    engines.versions.update(getattr(node, "workeroutput", {}).get("engines", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell which engines took part: a run that needed one and skipped it is seen here."""
    ran = ", ".join(f"{name} {version}" for name, version in sorted(engines.versions.items()))
    terminalreporter.write_line(f"engines: {ran or 'none was needed'}")
