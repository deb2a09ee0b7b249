"""Where a redirect may lead."""

from urllib.parse import urlparse

from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse

app = FastAPI()
REGISTERED = {"https://app.example.com/done"}
FRONTEND = "https://app.example.com"


@app.get("/given")
def given(target: str):
    return RedirectResponse(target, status_code=303)  # finding: open-redirect


@app.get("/request")
def of_the_request(request: Request):
    return RedirectResponse(request.query_params.get("next", "/"))  # finding: open-redirect


@app.get("/cookie")
def of_a_cookie(target: str = Cookie("/")):
    return RedirectResponse(target)  # finding: open-redirect - tentative


@app.get("/slash")
def behind_a_slash(target: str):
    return RedirectResponse(f"/{target}")  # finding: open-redirect - tentative


@app.get("/frontend")
def right_behind_the_host(target: str):
    return RedirectResponse(FRONTEND + target)  # finding: open-redirect - tentative


@app.get("/folder/{page}")
def behind_a_folder(page: str, words: str):
    if words:
        return RedirectResponse(f"{FRONTEND}/search?words={words}")
    return RedirectResponse(f"/books/{page}")


@app.get("/segment/{page}")
def segment(page: str):
    return RedirectResponse(page)


@app.get("/site")
def this_site(target: str):
    if not target.startswith("/") or target.startswith("//"):
        target = "/"
    return RedirectResponse(target)


@app.get("/host")
def without_a_host(target: str):
    if urlparse(target).netloc:
        raise HTTPException(400)
    return RedirectResponse(target)


@app.get("/scheme")
def without_a_scheme(target: str):
    if urlparse(target).scheme:
        raise HTTPException(400)
    return RedirectResponse(target)  # finding: open-redirect


@app.get("/registered")
def registered(target: str):
    if target not in REGISTERED:
        raise HTTPException(400)
    return RedirectResponse(target)


@app.get("/own")
def own(request: Request):
    if request.url.scheme == "http":
        return RedirectResponse(request.url.replace(scheme="https"))
    return RedirectResponse(request.url_for("own"))
