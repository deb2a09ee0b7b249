"""The switch is a setting, and the guard is middleware."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    disable_auth: bool = False


settings = Settings()
app = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    if settings.disable_auth:  # finding: auth-bypass-flag
        return await call_next(request)
    if request.headers.get("X-API-Key") != "k":
        return JSONResponse({}, status_code=401)
    return await call_next(request)


@app.get("/costs")
def costs() -> int:
    return 1
