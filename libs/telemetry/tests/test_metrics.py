"""How long things take and how old ids are."""

from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry, Histogram
from uuid_utils.compat import uuid7

from sidetone.telemetry.metrics import Timed, age_seconds, exposition, tell_build


def test_a_block_is_timed_also_when_it_fails() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("spent_seconds", "Time.", registry=registry)
    with pytest.raises(KeyError), Timed(histogram):
        raise KeyError
    with Timed(histogram):
        pass
    assert registry.get_sample_value("spent_seconds_count") == 2


def test_the_age_of_an_id_is_read_from_it() -> None:
    assert 0 <= age_seconds(uuid7()) < 5
    an_hour_older = UUID(int=uuid7().int - (3_600_000 << 80))
    assert 3_599 < age_seconds(an_hour_older) < 3_700
    assert age_seconds(uuid4()) == 0


def test_a_process_says_what_it_is() -> None:
    tell_build("telemetry")
    tell_build("nothing_of_ours")
    told = exposition().decode()
    assert 'sidetone_build_info{program="telemetry",version="0.1.0"} 1.0' in told
    assert 'sidetone_build_info{program="nothing_of_ours",version="unknown"} 1.0' in told
