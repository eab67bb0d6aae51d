"""Files of the user's own as they are written and read: `~` for the home folder. Pure."""

from pathlib import PurePath, PureWindowsPath


def shortened(path: str, home: PurePath) -> str:
    """Return *path* without what everybody on this machine knows, and what names its user.

    Where people do not write so, on Windows, and what is in no home, stays as it is.

    >>> from pathlib import PurePosixPath as Path
    >>> shortened("/srv/nova/Sidetone/clips", Path("/srv/nova"))
    '~/Sidetone/clips'
    >>> shortened("/srv/nova", Path("/srv/nova")), shortened("Headset", Path("/srv/nova"))
    ('~', 'Headset')
    """
    whole = type(home)(path)
    if isinstance(home, PureWindowsPath) or not whole.is_relative_to(home):
        return path
    return str(type(home)("~") / whole.relative_to(home))


def lengthened(typed: str, home: PurePath) -> str:
    """Return the whole path of what somebody *typed*, who begins at their home.

    >>> from pathlib import PurePosixPath as Path
    >>> lengthened(" ~/Sidetone ", Path("/srv/nova")), lengthened("calls", Path("/srv/nova"))
    ('/srv/nova/Sidetone', '/srv/nova/calls')
    >>> lengthened("/mnt/calls", Path("/srv/nova"))
    '/mnt/calls'
    """
    path = type(home)(typed.strip())
    if path.parts[:1] == ("~",):
        path = type(home)(*path.parts[1:])
    return str(home / path)
