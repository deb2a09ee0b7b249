"""Pages of Starlette alone: a router class of its own, an endpoint class, a plain list of routes."""

from urllib.parse import urlparse

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, Router


class PageRouter(Router):
    def post(self, path: str):
        def decorator(func):
            async def answer(request: Request) -> Response:
                return await func(request)

            self.add_route(path, answer, methods=["POST"])
            return func

        return decorator


pages = PageRouter()


@pages.post("/half-checked")
async def half_checked(request: Request) -> Response:
    target = request.query_params.get("next", "/")
    parsed = urlparse(target)
    if parsed.scheme and parsed.netloc:  # `//evil.example` has no scheme
        if parsed.netloc != request.url.netloc:
            target = "/"
    return RedirectResponse(target, 302)  # finding: open-redirect


@pages.post("/checked")
async def checked(request: Request) -> Response:
    target = request.query_params.get("next", "/")
    parsed = urlparse(target)
    if parsed.scheme or parsed.netloc:
        target = "/"
    return RedirectResponse(target, 302)


class Leaving(HTTPEndpoint):
    async def get(self, request):
        return RedirectResponse(request.query_params["to"])  # finding: open-redirect

    async def post(self, request):
        return RedirectResponse("/thanks")


async def by_host(request):
    target = (await request.form())["next"]
    if urlparse(target).netloc not in ("", "shop.example"):
        return Response(status_code=400)
    return RedirectResponse(target)


async def leave(request):
    return RedirectResponse((await request.form())["next"])  # finding: open-redirect


def routes() -> list:
    found = [Route("/leave", leave, methods=["POST"])]
    found.append(Route("/by-host", by_host, methods=["POST"]))
    return found


app = Starlette(routes=[Mount("/pages", pages), Route("/leaving", Leaving), *routes()])
