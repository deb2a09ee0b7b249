"""A helper sets the cookies, a header is set in a branch, and an injected task meets a response with its own."""

from fastapi import BackgroundTasks, FastAPI, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.background import BackgroundTask

app = FastAPI()


def remember(answer: Response, token: str) -> None:
    answer.set_cookie("session", token, httponly=True, secure=True)


def log(text: str) -> None:
    print(text)


@app.post("/login")
def log_in(response: Response, token: str) -> Response:
    remember(response, token)  # finding: injected-response-discarded
    return RedirectResponse("/", status_code=303)


@app.get("/report")
def report(response: Response, fresh: bool = False) -> Response:
    if fresh:
        response.headers["Cache-Control"] = "no-store"  # finding: injected-response-discarded
    return JSONResponse({"total": 3})


@app.post("/orders")
def order(tasks: BackgroundTasks) -> Response:
    tasks.add_task(log, "ordered")  # finding: injected-response-discarded
    return JSONResponse({}, background=BackgroundTask(log, "answered"))
