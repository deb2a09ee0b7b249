"""Puts the walls around an application."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from ..service import Component
from .middleware import HttpsMiddleware, SecurityHeadersMiddleware, TrustedHostMiddleware
from .settings import HttpSecuritySettings

#: Of an API that answers JSON: nothing of an answer is ever a page, and no cache keeps it.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: The pages of FastAPI load their programs from one place, and start them with a line of their own.
_DOCUMENTATION = (
    "default-src 'none'; script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net"
    " https://fonts.googleapis.com; font-src https://fonts.gstatic.com; img-src data: https://fastapi.tiangolo.com"
    " https://cdn.redoc.ly; worker-src blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "API-Version",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-CSRF-Token",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "API-Version",
    "Deprecation",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "X-Request-ID",
)


class HttpSecurity(Component):
    """Headers, CORS, HTTPS and hosts, from the outside to the inside.

    Args:
        settings: what is let in.
        headers: of answers, in place of or besides the usual ones; an endpoint that sets one itself wins.
        request_headers: further ones that programs of allowed websites may send.
        response_headers: further ones that they may read.
    """

    def __init__(
        self,
        settings: HttpSecuritySettings,
        headers: Mapping[str, str] | None = None,
        request_headers: tuple[str, ...] = (),
        response_headers: tuple[str, ...] = (),
    ) -> None:
        self.settings = settings
        self.headers = {**HEADERS, **(headers or {})}
        self.request_headers = REQUEST_HEADERS + request_headers
        self.response_headers = RESPONSE_HEADERS + response_headers

    def install(self, app: FastAPI) -> None:
        """Add the middleware; what is added last stands outermost."""
        settings = self.settings
        if settings.requires_https:
            app.add_middleware(HttpsMiddleware, exempt=settings.probe_paths)
        app.add_middleware(TrustedHostMiddleware, hosts=settings.hosts, exempt=settings.probe_paths)
        if settings.allowed_origins:
            app.add_middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_credentials=settings.allow_credentials,
                allow_methods=METHODS,
                allow_headers=self.request_headers,
                expose_headers=self.response_headers,
                max_age=600,
            )
        app.add_middleware(
            SecurityHeadersMiddleware,
            headers=self.headers,
            https_headers=self._https_headers(),
            by_path=_documentation_of(app),
        )

    def _https_headers(self) -> dict[str, str]:
        seconds = self.settings.hsts_seconds
        return {"Strict-Transport-Security": f"max-age={seconds}; includeSubDomains"} if seconds else {}


def _documentation_of(app: FastAPI) -> dict[str, dict[str, str]]:
    paths = (app.docs_url, app.redoc_url) if app.openapi_url else ()
    return {path: {"Content-Security-Policy": _DOCUMENTATION} for path in paths if path}
