"""The name is a setting, the flags are missing or written as False."""

from fastapi import FastAPI, Response
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    session_cookie: str = "sid"


settings = Settings()
app = FastAPI()


@app.post("/login")
def login(response: Response) -> None:
    response.set_cookie(  # finding: insecure-session-cookie
        key=settings.session_cookie, value="s", secure=False, httponly=True
    )
    response.set_cookie("access_token", "t", secure=True, samesite="none")  # finding: insecure-session-cookie
