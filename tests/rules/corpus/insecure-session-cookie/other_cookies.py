"""A theme is no session, and a session is taken back."""

from fastapi import FastAPI, Response

app = FastAPI()


@app.post("/theme")
def choose(response: Response) -> None:
    response.set_cookie("theme", "dark")
    response.set_cookie("language", "en", httponly=False)
    response.set_cookie("last_login_method", "github", httponly=False, secure=True)


@app.post("/logout")
def logout(response: Response) -> None:
    response.set_cookie("session", "", max_age=0)
    response.delete_cookie("session")
