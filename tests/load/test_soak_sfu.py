"""A short soak, so that the long one is known to work."""

from tests.load.soak_sfu import soak


async def test_a_full_channel_is_served_without_a_leak_or_an_exception() -> None:
    # The listeners are slow Python on the same cores: no more of them than these can keep up with.
    report = await soak(seconds=5, members=25)
    assert (report.unhandled, report.exit_status) == (0, 0)
    assert report.delivered_ratio > 0.95
    assert report.rss_growth < 0.05
    assert report.frames_expected > 10_000
