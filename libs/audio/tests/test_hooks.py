"""Processors of others: hooked when wanted, told once when missing."""

import importlib.util

import pytest

from libs.audio.tests.test_engine import Failures, wait_until
from sidetone.audio.hooks import Hooks
from sidetone.audio.processing import fresh


def test_a_processor_that_is_not_installed_is_told_once_and_the_chain_goes_on() -> None:
    if importlib.util.find_spec("livekit") is not None:
        pytest.skip("the echo canceller is installed here")
    failures, processing = Failures(), fresh()
    hooks = Hooks(processing, failures.append)
    hooks.want(noise=False, echo=True)
    hooks.want(noise=False, echo=True)
    wait_until(lambda: bool(failures))
    hooks.close()
    assert len(failures) == 1
    assert "\n" not in failures[0]
    assert processing.echo_function == 0


def test_what_is_installed_is_called_while_it_is_wanted() -> None:
    pytest.importorskip("livekit", reason="needs the extra sidetone-audio[echo]")
    processing = fresh()
    hooks = Hooks(processing, print)
    hooks.want(noise=False, echo=True)
    wait_until(lambda: processing.echo_function != 0)
    hooks.want(noise=False, echo=False)
    assert processing.echo_function == 0
    hooks.want(noise=False, echo=True)
    assert processing.echo_function != 0
    hooks.close()
