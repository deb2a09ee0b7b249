"""The outer middleware writes the CORS header to its own answer."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

ORIGINS = ["https://shop.example"]


class ErrorsAsJson(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        try:
            return await call_next(request)
        except HTTPException as error:
            response = JSONResponse({"detail": error.detail}, status_code=error.status_code)
            origin = request.headers.get("origin")
            if origin in ORIGINS:
                response.headers["Access-Control-Allow-Origin"] = origin
            return response


app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=ORIGINS)
app.add_middleware(ErrorsAsJson)
