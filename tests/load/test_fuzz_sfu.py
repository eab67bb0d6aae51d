"""The short version of ``./just fuzz-sfu``: nothing happens to the kernels."""

import pytest

from tests.load.compare_sfu import compare
from tests.load.fuzz_sfu import fuzz_in_child
from tests.load.fuzz_socket import fuzz_socket


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("checked", "count"), [(True, 5_000), (False, 20_000)])
def test_nothing_that_comes_makes_the_kernels_stumble(checked: bool, count: int) -> None:
    findings = fuzz_in_child(count, seed=2, checked=checked)
    assert findings.faults == []
    assert findings.checked == checked
    assert findings.fast > count / 4
    assert findings.frames_passed > count / 10
    assert findings.forged > count / 4


@pytest.mark.timeout(200)
async def test_both_servers_do_the_same_whatever_happens() -> None:
    findings = await compare(1_500, seed=3)
    assert findings.faults == []
    assert findings.heard > 1_000
    assert findings.refused > 500
    assert set(findings.kinds) == {"join", "voice", "state", "rights", "leave", "put_out"}


@pytest.mark.timeout(200)
async def test_whatever_one_member_sends_the_others_talk_on() -> None:
    findings = await fuzz_socket(300, seed=4)
    assert findings.faults == []
    assert findings.failures == 0
    assert findings.connections > 7
