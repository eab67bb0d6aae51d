"""The soak in short: ten speakers over a bad network, and nothing wrong but what was lost."""

from tests.load.soak_audio import Weather, run


def test_ten_speakers_over_a_bad_network_are_heard_but_for_what_was_lost() -> None:
    report = run(6.0, Weather())
    assert report["received"] > 0.9 * report["sent"] > 0
    assert report["dropped"] == 0
    # How often frames come late is the machine's; the soak itself reports it.
    assert report["lost"] <= report["lost_on_the_way"] + report["late"] + report["sent"] * 0.05
    assert report["fec_recovered"] > 0
    before, after = report["rss_mib"]
    assert after - before < 5
