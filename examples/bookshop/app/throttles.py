"""Dependencies that slow a client down before the operation does its work."""

from fastapi import Request

from app.dependencies import RateLimiterDep
from app.rate_limits import Allowance


class ThrottleClient:
    """Counts each request against the address it came from.

    The address is the peer's, or what a trusted proxy said (uvicorn's --forwarded-allow-ips);
    no header is read here, since any client can write any header.
    """

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance

    async def __call__(self, request: Request, limiter: RateLimiterDep) -> None:
        """Let the request pass, or raise TooManyRequests or Unavailable."""
        await limiter.spend(self.allowance, request.client.host if request.client else "unknown")


throttle_credentials = ThrottleClient(Allowance("credentials", attempts=20, seconds=60))
throttle_mail = ThrottleClient(Allowance("mail", attempts=10, seconds=600))
throttle_webhooks = ThrottleClient(Allowance("webhooks", attempts=600, seconds=60, required=False))
throttle_browsing = ThrottleClient(Allowance("browsing", attempts=300, seconds=60, required=False))
throttle_uploads = ThrottleClient(Allowance("uploads", attempts=30, seconds=60, required=False))
throttle_purchases = ThrottleClient(Allowance("purchases", attempts=60, seconds=60, required=False))
