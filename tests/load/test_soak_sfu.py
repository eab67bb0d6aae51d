"""A short soak, so that the long one is known to work."""

from tests.load.soak_sfu import soak


async def test_fifty_members_are_served_without_a_leak_or_an_exception() -> None:
    report = await soak(seconds=5)
    assert (report.unhandled, report.exit_status) == (0, 0)
    assert report.delivered_ratio > 0.9
    assert report.rss_growth < 0.05
    assert report.frames_expected > 20_000
