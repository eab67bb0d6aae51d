"""What Linux tells of running processes: children, memory, who has a UDP port."""

from contextlib import suppress
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Return the processes that *pid* started and that live; none where it is gone itself."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in _children(pid).split()]
    return []


def family_of(pid: int) -> list[int]:
    """Return *pid* and all that descend from it."""
    return [pid, *(each for child in children_of(pid) for each in family_of(child))]


def resident_bytes(pid: int) -> int:
    """Return how much memory *pid* and all that descend from it have; 0 where they are gone."""
    return sum(_resident(each) for each in family_of(pid))


def child_at_port(pid: int, port: int) -> int:
    """Return the child of *pid* that has the UDP *port*. Raises ``LookupError``."""
    sockets: set[str] = set()
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            sockets.add(f"socket:[{fields[9]}]")
    for child in children_of(pid):
        if any(str(link.readlink()) in sockets for link in Path(f"/proc/{child}/fd").iterdir()):
            return child
    raise LookupError(f"no child of {pid} has the port {port}")


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()


def _resident(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0
