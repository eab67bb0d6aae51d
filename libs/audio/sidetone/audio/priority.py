"""Let an audio thread run when its hop is due, however busy the machine is.

Each system has its own way, and each may refuse; then the call goes on with what there is. A
thread that runs wild with real-time priority cannot freeze a Linux machine: the kernel leaves
every other thread 5 % of the time (sched_rt_runtime_us), and a child process inherits nothing.
"""

import ctypes
import os
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final, Literal

from sidetone.audio import HOP_NS, rtkit

FIFO_PRIORITY: Final = 20
"""Above all that is not real-time, below the kernel's own threads, which have 50."""

_NICE: Final = -11


@dataclass(frozen=True, slots=True)
class Priority:
    """What a thread was given, and the story in words."""

    kind: Literal["real-time", "raised", "normal"]
    detail: str


def raise_priority() -> Priority:
    """Raise the calling thread as far as the system allows; never fails."""
    try:
        if sys.platform == "linux":
            return _linux()
        return _windows() if sys.platform == "win32" else _macos()
    except (OSError, AttributeError) as error:
        return Priority("normal", f"the system gave no priority: {error}")


def _linux() -> Priority:
    wish = os.sched_param(FIFO_PRIORITY)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, wish)
        return Priority("real-time", f"SCHED_FIFO {FIFO_PRIORITY}, by right of this user")
    except PermissionError:
        pass
    thread = threading.get_native_id()
    try:
        rtkit.make_realtime(thread, FIFO_PRIORITY)
        return Priority("real-time", f"SCHED_RR {FIFO_PRIORITY}, granted by rtkit")
    except OSError as refused:
        reason = str(refused)
    try:
        os.setpriority(os.PRIO_PROCESS, thread, _NICE)
        return Priority("raised", f"nice {_NICE}; no real-time priority: {reason}")
    except PermissionError:
        return Priority(
            "normal",
            f"none: neither a limit for real-time priority (ulimit -r) nor rtkit: {reason}",
        )


def _windows() -> Priority:
    system: Any = ctypes
    avrt = system.WinDLL("avrt")
    task = ctypes.c_uint32(0)
    avrt.AvSetMmThreadCharacteristicsW.restype = ctypes.c_void_p
    if avrt.AvSetMmThreadCharacteristicsW("Pro Audio", ctypes.byref(task)):
        return Priority("real-time", "MMCSS task “Pro Audio”")
    kernel = system.WinDLL("kernel32")
    kernel.GetCurrentThread.restype = ctypes.c_void_p
    if kernel.SetThreadPriority(ctypes.c_void_p(kernel.GetCurrentThread()), 15):
        return Priority("raised", "time critical; MMCSS refused “Pro Audio”")
    return Priority("normal", "neither MMCSS nor a thread priority was given")


class _TimeConstraint(ctypes.Structure):
    """thread_time_constraint_policy_data_t, in ticks of mach_absolute_time."""

    _fields_ = (
        ("period", ctypes.c_uint32),
        ("computation", ctypes.c_uint32),
        ("constraint", ctypes.c_uint32),
        ("preemptible", ctypes.c_int32),
    )


class _Timebase(ctypes.Structure):
    _fields_ = (("numer", ctypes.c_uint32), ("denom", ctypes.c_uint32))


def _macos() -> Priority:
    library: Any = ctypes.CDLL(None)
    timebase = _Timebase()
    library.mach_timebase_info(ctypes.byref(timebase))
    ticks = HOP_NS * timebase.denom // max(timebase.numer, 1)
    policy = _TimeConstraint(ticks, ticks // 4, ticks // 2, 1)
    library.pthread_self.restype = ctypes.c_void_p
    library.pthread_mach_thread_np.argtypes = [ctypes.c_void_p]
    thread = library.pthread_mach_thread_np(library.pthread_self())
    time_constraint, words = 2, 4
    code = library.thread_policy_set(thread, time_constraint, ctypes.byref(policy), words)
    if code == 0:
        return Priority("real-time", "time-constraint policy of 5 ms")
    return Priority("normal", f"the time-constraint policy was refused ({code})")
