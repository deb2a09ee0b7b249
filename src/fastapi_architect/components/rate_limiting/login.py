"""Slows down guessing of passwords without letting strangers lock an account."""

import unicodedata

from .limiter import RateLimiter, Spending
from .rates import Limit, Outage
from .settings import RateLimitSettings


class LoginLimits:
    """Three limits of attempts to sign in. All refuse while the counters cannot be reached.

    Of one address: who tries one password on many accounts. Of one account from one address: who tries many passwords
    on one account. Of one account from anywhere, much wider: who does so from many addresses; narrow, it would let
    anybody lock anybody out.

    An attempt is counted before the password is looked at, because parallel attempts would all pass a later count, and
    for accounts that do not exist as well, because a limit must not tell which ones do.
    """

    def __init__(self, limiter: RateLimiter, settings: RateLimitSettings) -> None:
        self._limiter = limiter
        self._by_address = _limit("login-by-address", settings.login_by_address)
        self._by_both = _limit("login-by-account-and-address", settings.login_by_account_and_address)
        self._by_account = _limit("login-by-account", settings.login_by_account)

    async def attempt(self, *, account: str, address: str) -> None:
        """Count an attempt before it is made.

        Args:
            account: the name or e-mail address that was typed.
            address: of the client, as `rate_limiting.ClientAddressDep` gives it.

        Raises:
            QuotaExceeded: there were too many.
            Unavailable: the counters cannot be reached.
        """
        account = _normalized(account)
        await self._limiter.spend(
            Spending(self._by_address, address),
            Spending(self._by_both, f"{account}\0{address}"),
            Spending(self._by_account, account),
        )

    async def succeeded(self, *, account: str, address: str) -> None:
        """Forget the wrong passwords before the right one. Those of other addresses and other accounts stay counted."""
        await self._limiter.forget(self._by_both, f"{_normalized(account)}\0{address}")


def _limit(name: str, rates: str) -> Limit:
    return Limit.of(name, *rates.split(","), outage=Outage.CLOSED, advertised=False)


def _normalized(account: str) -> str:
    """Return one spelling for all that a login may take for the same account: each would have attempts of its own."""
    return unicodedata.normalize("NFKC", account).strip().casefold()
