"""What is set, wrong, missing and unused in an environment, for one program or all of a machine.

Reads everything to its end, where a program stops at the first thing that is wrong. No secret
leaves it.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from sidetone.all_in_one.deployables import DEPLOYABLES, ELSEWHERE
from sidetone.runtime.settings import Variable, load, variables
from sidetone.runtime.start import StartError

Verdict: TypeAlias = Literal["set", "missing", "wrong", "unused"]

_OURS = "SIDETONE_"
_ALIKE = 0.75


class Finding(NamedTuple):
    """What is to be said of one variable, or of several that do not go together."""

    verdict: Verdict
    text: str


def configured(environment: Mapping[str, str]) -> list[str]:
    """Return the programs that *environment* speaks of.

    A variable that two of them read speaks of one that is spoken of anyway, or of the first.
    """
    readers: dict[str, list[str]] = {}
    for name, deployable in DEPLOYABLES.items():
        for variable in deployable.variables():
            readers.setdefault(variable.name, []).append(name)
            readers.setdefault(variable.file_name, []).append(name)
    named = [readers[each] for each in environment if each in readers]
    spoken_of = {names[0] for names in named if len(names) == 1}
    spoken_of |= {names[0] for names in named if spoken_of.isdisjoint(names)}
    return [name for name in DEPLOYABLES if name in spoken_of]


def judge(name: str, environment: Mapping[str, str]) -> list[Finding]:
    """Return what there is to say of the variables of the program *name*."""
    found: list[Finding] = []
    for kind, prefix in DEPLOYABLES[name].parts:
        each = [_judge_one(variable, environment) for variable in variables(kind, prefix)]
        found += [finding for finding in each if finding is not None]
        if all(finding.verdict == "set" for finding in found):
            found += _judge_all(kind, prefix, environment)
    return found


def unused(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the variables with our prefix that nothing of ours reads, with the nearest name."""
    known = [
        name
        for deployable in DEPLOYABLES.values()
        for variable in deployable.variables()
        for name in (variable.name, variable.file_name)
    ]
    for name in sorted(environment):
        if name.startswith(_OURS) and name not in known and name not in ELSEWHERE:
            near = get_close_matches(name, known, n=1, cutoff=_ALIKE)
            hint = f"did you mean {near[0]}?" if near else "this version has no such setting"
            yield Finding("unused", f"{name}: {hint}")


def _judge_one(variable: Variable, environment: Mapping[str, str]) -> Finding | None:
    try:
        variable.read(environment)
    except StartError as error:
        is_missing = not variable.is_set(environment)
        return Finding("missing" if is_missing else "wrong", str(error))
    if not variable.is_set(environment):
        return None
    name = variable.name if variable.name in environment else variable.file_name
    return Finding("set", f"{name} = {variable.shown(environment)}")


def _judge_all(
    kind: type[msgspec.Struct], prefix: str, environment: Mapping[str, str]
) -> Sequence[Finding]:
    """Return what is wrong although each variable by itself is right."""
    try:
        load(kind, prefix, environment)
    except StartError as error:
        return [Finding("wrong", str(error))]
    return []
