"""Kernels: records, conversions, compiled once, and cached by what they are made of."""

import gc
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sidetone.native import kernel, layout, prepare, records, signature
from sidetone.native.cache import digest_of
from sidetone.native.lean import release_compiler, uncollected, without

POINT = layout(x=np.float64, trail=(np.float32, (4,)), steps=np.int64)


@kernel(signature("float64", POINT, "float64"))
def move(point, by):
    point.x += by
    point.trail[point.steps & 3] = point.x
    point.steps += 1
    return point.x


@kernel("float32(float32[::1])")
def total(x):
    s = np.float32(0)
    for at in range(x.size):
        s += x[at]
    return s


@kernel(signature("float32", [POINT], "int64"))
def trail_of(points, at):
    return total(points[at].trail)


def test_records_are_changed_in_place_and_their_arrays_go_where_arrays_are_asked_for() -> None:
    points = records(POINT, 3)
    assert move(points[1], 2) == 2.0
    assert move(points[1], np.float32(0.5)) == 2.5
    assert points[1].trail.tolist() == [2, 2.5, 0, 0]
    assert trail_of(points, 1) == 4.5
    assert points[0].steps == 0


def test_records_share_no_cache_line() -> None:
    assert POINT.itemsize % 64 == 0


def test_many_threads_may_be_the_first_to_call() -> None:
    @kernel("int64(int64)")
    def twice(n):
        return 2 * n

    seen: list[int] = []
    threads = [threading.Thread(target=lambda n=n: seen.append(twice(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [2 * n for n in range(8)]


def test_a_closure_is_refused() -> None:
    hidden = 5

    @kernel("int64()")
    def five():
        return hidden

    with pytest.raises(TypeError, match="is a closure"):
        prepare(five)


def test_what_a_kernel_is_made_of_names_it() -> None:
    assert digest_of(total.py_func) == digest_of(total.py_func)
    assert digest_of(total.py_func) != digest_of(trail_of.py_func)


CALLEE = """
    from sidetone.native import kernel
    FACTOR = {factor}
    @kernel("int64(int64)")
    def scaled(n):
        return FACTOR * n + {summand}
"""
CALLER = """
    import callee
    from callee import scaled
    from sidetone.native import kernel
    @kernel("int64(int64)")
    def direct(n):
        return scaled(n)
    @kernel("int64(int64)")
    def dotted(n):
        return callee.scaled(n) + callee.FACTOR
    print(direct(10), dotted(10), sum(direct.stats.cache_hits.values()))
"""


def run(folder: Path, factor: int, summand: int) -> list[int]:
    callee = textwrap.dedent(CALLEE.format(factor=factor, summand=summand))
    (folder / "callee.py").write_text(callee)
    (folder / "caller.py").write_text(textwrap.dedent(CALLER))
    os.utime(folder / "caller.py", (1, 1))
    return program(folder, "caller.py")


def program(folder: Path, *command: str, run_by: Sequence[str] = ()) -> list[int]:
    done = subprocess.run(
        [*run_by, sys.executable, *command],
        cwd=folder,
        # Python tells a changed file by its second and size, and these change faster than that.
        env={
            **os.environ,
            "NUMBA_CACHE_DIR": str(folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(folder / "home"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_second_start_loads_and_a_changed_callee_or_constant_recompiles(tmp_path: Path) -> None:
    assert run(tmp_path, 2, 0) == [20, 22, 0]
    assert run(tmp_path, 2, 0) == [20, 22, 1]
    assert run(tmp_path, 2, 7) == [27, 29, 0]
    assert run(tmp_path, 3, 7) == [37, 40, 0]
    assert run(tmp_path, 2, 0) == [20, 22, 1], "what was made before is still there"


LATER = """
    import sys
    import numpy as np
    from sidetone.native import kernel
    @kernel("float64(float64[::1])")
    def total(x):
        s = 0.0
        for at in range(x.size):
            s += x[at]
        return s
    @kernel("float64(float64[::1], int64)")
    def power(x, n):
        return total(x) ** n
    x = np.arange(4.0)
    print(int(total(x)), sum(total.stats.cache_hits.values()))
    print(int("numba.np.linalg" in sys.modules))
    if len(sys.argv) > 1:
        print(int(power(x, 2)), sum(power.stats.cache_hits.values()))
"""


def test_what_is_loaded_does_without_the_compiler_and_is_there_for_one_that_compiles(
    tmp_path: Path,
) -> None:
    (tmp_path / "later.py").write_text(textwrap.dedent(LATER))
    assert program(tmp_path, "later.py") == [6, 0, 1]
    assert program(tmp_path, "later.py") == [6, 1, 0]
    assert program(tmp_path, "later.py", "all") == [6, 1, 0, 36, 0]
    assert program(tmp_path, "later.py", "all") == [6, 1, 0, 36, 1]


def test_kernels_are_loaded_from_a_folder_that_can_only_be_read(tmp_path: Path) -> None:
    (tmp_path / "later.py").write_text(textwrap.dedent(LATER))
    assert program(tmp_path, "later.py") == [6, 0, 1]
    for folder in (tmp_path / "cache", *(tmp_path / "cache").rglob("*/")):
        folder.chmod(0o555)
    one = who_cannot_write_there()
    assert program(tmp_path, "later.py", run_by=one) == [6, 1, 0]
    # What is not there goes where numba keeps its own, and works all the same.
    assert program(tmp_path, "later.py", "all", run_by=one) == [6, 1, 0, 36, 0]
    for folder in (tmp_path / "cache").rglob("*/"):
        folder.chmod(0o755)


def who_cannot_write_there() -> Sequence[str]:
    """Return what runs a program without root's power over folders."""
    if os.name != "posix" or os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is missing: root writes everywhere (apt-get install util-linux)")
    return (setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override")


def test_the_collector_rests_while_much_is_made_and_works_again_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_kernels_work_and_compile_on_after_the_compiler_was_let_go() -> None:
    @kernel("int64(int64)")
    def thrice(n):
        return 3 * n

    release_compiler()
    assert thrice(2) == 6
    assert total(np.ones(3, np.float32)) == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux says what is held")
def test_the_code_of_the_compiler_is_held_no_more() -> None:
    """Also while other processes hold it, as the children of a call do."""
    total(np.ones(3, np.float32))
    holds = compiler_kilobytes()
    release_compiler()
    assert compiler_kilobytes() < holds / 4


def compiler_kilobytes() -> int:
    """Return what this process holds of the compiler's file."""
    held, of_it = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ", 1)[0]:
            of_it = line.endswith("libllvmlite.so")
        elif of_it and line.startswith("Rss:"):
            held += int(line.split()[1])
    return held


def test_scipy_is_there_again_after_numba_was_kept_from_it() -> None:
    with without("scipy"):
        pass
    assert "scipy" not in sys.modules or sys.modules["scipy"] is not None
