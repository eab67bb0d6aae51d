"""A short soak over a bad network, so that the long one is known to work."""

import pytest

from tests.load.soak_fastpath import soak


@pytest.mark.timeout(240)
async def test_a_bad_network_makes_nobody_stuck_and_nothing_wrong() -> None:
    report = await soak(seconds=12)
    assert [fault for fault in report.faults if "memory" not in fault] == []
    assert report.to_unit["corrupted"] > 10
    assert report.pings > 20
    assert report.heard > 1_000
