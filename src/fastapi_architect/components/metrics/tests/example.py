"""The smallest application with numbers: two versions of one route, and a number of its own."""

from fastapi import APIRouter, FastAPI, WebSocket
from prometheus_client import Counter

from fastapi_architect.components.metrics import Metrics, MetricsSettings
from fastapi_architect.components.problem_details import NotFound, ProblemDetails
from fastapi_architect.components.service import install


def create_app(settings: MetricsSettings) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    metrics = Metrics(settings)
    sold = Counter("books_sold", "Books that were sold.", registry=metrics.registry)
    books = APIRouter(prefix="/books")

    @books.post("/{book_id}/sale", summary="Sell")
    async def sell(book_id: int) -> int:
        """Sell a book."""
        if book_id == 0:
            raise NotFound("There is no such book.")
        sold.inc()
        return 1 // (book_id - 1)

    @app.websocket("/talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    app.include_router(books, prefix="/api/v1")
    app.include_router(books, prefix="/api/v2")
    install(app, [metrics, ProblemDetails()])
    return app
