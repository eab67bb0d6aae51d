"""The child process that decodes what strangers made: one job, then it is gone.

Run as ``python -m sidetone.media.infrastructure.child LIMITS JOB``. The system stops it when it
wants too much memory or time; whatever goes wrong here, the parent sees no answer and goes on.
Nothing of one picture can reach the next.
"""

import resource
import sys

import msgspec

from sidetone.media.infrastructure.child_jobs import Job, Limits, Paint, Skim


def main(limits_json: str, job_json: str) -> None:
    """Do one job."""
    _limit(msgspec.json.decode(limits_json, type=Limits))
    content = sys.stdin.buffer.read()
    job: Job = msgspec.json.decode(job_json, type=Job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_done(job, content)))


def _done(job: Job, content: bytes) -> msgspec.Struct:
    """Import the decoder under the limits, and only the one that the job takes."""
    match job:
        case Paint(picture_format, bounds):
            from sidetone.media.infrastructure.painting import painted  # noqa: PLC0415

            return painted(content, picture_format, bounds)
        case Skim(charset):
            from sidetone.media.infrastructure.skimming import skimmed  # noqa: PLC0415

            return skimmed(content, charset)


def _limit(limits: Limits) -> None:
    """Bound memory, time and writing for good: nobody raises a hard limit again."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
