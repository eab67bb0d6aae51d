"""The interface does what its document says: the short version of ``./just fuzz-api``."""

from pathlib import Path

import pytest

from tests.api.fuzz import fuzz

CASES_MIN = 3_000


@pytest.mark.timeout(300)
async def test_no_answer_is_undocumented_and_none_is_a_failure(tmp_path: Path) -> None:
    findings = await fuzz(tmp_path, examples=1, seed=1)
    assert findings.clean, findings.output
    assert findings.cases >= CASES_MIN
