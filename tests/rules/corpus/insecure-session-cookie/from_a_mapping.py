"""Cookies that are set from mappings: collected in a list, written beside the call, and completed there."""

from fastapi import FastAPI, Request, Response

app = FastAPI()
KEY = "session_key"


@app.middleware("http")
async def set_cookies(request: Request, call_next) -> Response:
    request.state.cookies = []
    response = await call_next(request)
    for params in request.state.cookies:
        params.setdefault("httponly", True)
        response.set_cookie(**params)  # finding: insecure-session-cookie
    return response


@app.get("/key")
def key(request: Request, value: str) -> None:
    request.state.cookies.append({"key": KEY, "value": value})


@app.post("/login")
def log_in(response: Response) -> None:
    given = {"key": "session", "value": "s3ss10n", "httponly": True}
    response.set_cookie(**given)  # finding: insecure-session-cookie


@app.post("/login/safely")
def log_in_safely(response: Response) -> None:
    given = {"key": "session", "value": "s3ss10n", "httponly": True}
    given["secure"] = True
    response.set_cookie(**given)


@app.post("/theme")
def choose(response: Response) -> None:
    given = {"key": "theme", "value": "dark"}
    response.set_cookie(**given)


@app.post("/login/elsewhere")
def log_in_elsewhere(response: Response, given: dict[str, str]) -> None:
    response.set_cookie(**given)
