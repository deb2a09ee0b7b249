"""The smallest application behind walls."""

from fastapi import FastAPI, Response, WebSocket

from fastapi_architect.components.http_security import HttpSecurity, HttpSecuritySettings
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install


def create_app(settings: HttpSecuritySettings) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.get("/prices", summary="Read prices")
    async def prices(response: Response) -> list[int]:
        """Answer what caches may keep."""
        response.headers["Cache-Control"] = "public, max-age=60"
        return [1]

    @app.post("/orders", summary="Order")
    async def order(copies: int) -> int:
        """Order, or fail in a way that nobody foresaw."""
        return 1 // copies

    @app.get("/health/ready")
    async def ready() -> str:
        """Answer the platform."""
        return "ready"

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    install(app, [HttpSecurity(settings), ProblemDetails()])
    return app
