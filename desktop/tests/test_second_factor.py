"""The codes of an authenticator app: only one of now turns it on, and all else is told why not."""

import pytest
from pyotp.totp import TOTP

from desktop.tests.stage import PASSWORD, Stage, Window

_SIX_DIGITS = "The code that the app shows has 6 digits"


@pytest.mark.timeout(240)
async def test_only_a_code_of_now_turns_the_second_factor_on(stage: Stage) -> None:
    bolt = await stage.client("bolt")
    window = await stage.window("bolt", size=(1280, 1400))
    await window.sign_in("bolt")
    await window.click("open-settings")
    await window.type("factor-password", "not my password", enter=True)
    await window.hears("factor-problem", "This is not your password; try it again")
    await window.type("factor-password", PASSWORD, enter=True)
    shown = (await window.sees("factor-secret")).locator("textarea").first
    app = TOTP(await shown.get_attribute("aria-label") or "")
    await window.misses("factor-problem")
    wrong = f"{(int(app.now()) + 500_000) % 1_000_000:06}"
    for code, told in (
        ("", _SIX_DIGITS),
        ("letter", _SIX_DIGITS),
        ("12345", _SIX_DIGITS),
        ("1234567", _SIX_DIGITS),
        (wrong, "This is not the code of now; check the phone's clock"),
        ("１２３", _SIX_DIGITS),
    ):
        await _refused(window, code, told)
    assert not (await bolt.api.accounts.me()).totp
    # As apps show it, with a space; and as it is written beside Chinese letters.
    now = app.now().translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    await window.type("factor-code", f"{now[:3]} {now[3:]}", enter=True)
    await window.sees("recovery-codes")
    assert (await bolt.api.accounts.me()).totp
    assert not window.process.unhappy()


async def _refused(window: Window, code: str, told: str) -> None:
    await window.type("factor-code", code, enter=True)
    await window.hears("factor-problem", told)
    field = (await window.sees("factor-code")).locator("input").first
    assert await field.input_value() == code
