"""The one exception for what keeps a process from starting."""


class StartError(Exception):
    """Something keeps the process from starting: one line, what happened and what to do.

    It is for the person at the terminal, so it is printed without a traceback.
    """
