"""The one exception of this package: something from outside is not acceptable.

Whatever the bytes, no other exception leaves a parser, a validator or a cipher of this package.
"""


class Rejected(Exception):
    """Say why bytes, a key or a request were not accepted.

    *code* is stable and made for counters and tests; *detail* is made for people and never holds a
    secret.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
