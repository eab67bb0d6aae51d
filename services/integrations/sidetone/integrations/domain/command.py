"""What a command may be, and whether an invocation gives it what it takes."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sidetone.community import Community
from sidetone.protocol.commands import CommandOption, NewCommand, OptionValue
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Invalid, NotFound

COMMANDS_MAX: Final = 50
OPTIONS_MAX: Final = 25
CHOICES_MAX: Final = 25
DESCRIPTION_LENGTH_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 2_000
# What JavaScript can read as a number.
INTEGER_MAX: Final = 2**53 - 1

_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}")


def unknown_command() -> NotFound:
    """Return the refusal of a command that is not there, or not here."""
    return NotFound("command_unknown", "there is no such command here")


def checked_commands(commands: Sequence[NewCommand]) -> Sequence[NewCommand]:
    """Return *commands* if they can be registered together. Raises ``Invalid``."""
    names = [command.name for command in commands]
    if len(commands) > COMMANDS_MAX or len(set(names)) < len(names):
        raise _wrong(f"register at most {COMMANDS_MAX} commands, each under a name of its own")
    for command in commands:
        _check_words(command.name, command.description)
        _check_options(command)
    return commands


def checked_options(
    options: Sequence[CommandOption], given: Mapping[str, OptionValue]
) -> dict[str, OptionValue]:
    """Return what was *given* for *options*. Raises ``Invalid`` with the option that is wrong."""
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise Invalid("option_unknown", f"the command has no option {name[:32]!r}")
    for option in options:
        if option.required and option.name not in given:
            raise Invalid("option_missing", f"the command needs the option {option.name}")
    return {name: _checked(known[name], value) for name, value in given.items()}


def require_known(
    options: Sequence[CommandOption],
    given: Mapping[str, OptionValue],
    community: Community,
    user: UserId,
) -> None:
    """Refuse users and channels that *user* does not see in *community*."""
    for option in options:
        value = given.get(option.name)
        if value is None or option.kind not in {"user", "channel"}:
            continue
        id_ = UUID(str(value))
        member = option.kind == "user" and UserId(id_) in community.members
        channel = option.kind == "channel" and community.sees(user, ChannelId(id_))
        if not member and not channel:
            raise Invalid("option_unusable", f"{option.name} names no {option.kind} that you see")


def _checked(option: CommandOption, value: OptionValue) -> OptionValue:
    """Return *value* if it is one of the kind of *option*; a boolean is no number."""
    right: bool
    match option.kind:
        case "boolean":
            right = isinstance(value, bool)
        case "integer":
            right = (
                isinstance(value, int)
                and not isinstance(value, bool)
                and abs(value) <= INTEGER_MAX
            )
        case "number":
            right = isinstance(value, int | float) and not isinstance(value, bool)
        case "text":
            right = isinstance(value, str) and len(value) <= TEXT_LENGTH_MAX
        case _:
            right = isinstance(value, str) and _is_id(value)
    if not right or (option.choices and value not in option.choices):
        wanted = f"one of {', '.join(option.choices)}" if option.choices else f"a {option.kind}"
        raise Invalid("option_unusable", f"the option {option.name} takes {wanted}")
    return value


def _check_options(command: NewCommand) -> None:
    names = [option.name for option in command.options]
    if len(names) > OPTIONS_MAX or len(set(names)) < len(names):
        raise _wrong(f"a command has at most {OPTIONS_MAX} options, each with its own name")
    for option in command.options:
        _check_words(option.name, option.description)
        if option.choices and (
            option.kind != "text"
            or len(option.choices) > CHOICES_MAX
            or not all(0 < len(choice) <= DESCRIPTION_LENGTH_MAX for choice in option.choices)
        ):
            raise _wrong(f"{option.name}: only a text has choices, at most {CHOICES_MAX}")


def _check_words(name: str, description: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise _wrong(f"{name[:40]!r} is no name; use up to 32 of a-z, 0-9, _ and -")
    if not 0 < len(description) <= DESCRIPTION_LENGTH_MAX or not description.isprintable():
        raise _wrong(f"describe {name} in 1 to {DESCRIPTION_LENGTH_MAX} printable characters")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _wrong(detail: str) -> Invalid:
    return Invalid("command_unusable", detail)
