import json

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

app = FastAPI()


class OutOfStock(Exception):
    """Its text is written for customers."""


@app.exception_handler(Exception)
async def on_anything(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, status_code=500)  # finding: exception-text-returned-to-client


@app.exception_handler(SQLAlchemyError)
async def on_database(request: Request, exc: SQLAlchemyError) -> JSONResponse:
    return JSONResponse({"detail": exc.args[0]}, status_code=500)  # finding: exception-text-returned-to-client


@app.exception_handler(OutOfStock)
async def on_stock(request: Request, exc: OutOfStock) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, status_code=409)  # silent: a text of the program itself


@app.exception_handler(RequestValidationError)
async def on_input(request: Request, exc: RequestValidationError) -> JSONResponse:
    return JSONResponse({"detail": exc.errors()}, status_code=422)  # silent: about the input


async def read_model():
    raise NotImplementedError
    yield ""


async def answer():
    try:
        async for word in read_model():
            yield word
    except Exception as exc:
        yield f"data: {json.dumps({'error': str(exc)})}\n\n"  # finding: exception-text-returned-to-client


@app.get("/answers")
async def stream_answer() -> StreamingResponse:
    return StreamingResponse(answer(), media_type="text/event-stream")


@app.websocket("/talk")
async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        async for word in read_model():
            await websocket.send_text(word)
    except Exception as exc:
        await websocket.send_json({"error": repr(exc)})  # finding: exception-text-returned-to-client
