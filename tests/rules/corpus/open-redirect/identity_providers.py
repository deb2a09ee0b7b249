"""Addresses that libraries make for an identity provider: what a client sends stands behind a constant host."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from slack_sdk.oauth import AuthorizeUrlGenerator

app = FastAPI()
generator = AuthorizeUrlGenerator(client_id="c", scopes=["chat:write"])


class LinkGenerator:
    def generate(self, state: str) -> str:
        return state or "/"


links = LinkGenerator()


@app.get("/install")
def install(state: str = ""):
    return RedirectResponse(generator.generate(state=state))


@app.get("/install-by-place")
def install_by_place(state: str = ""):
    url = generator.generate(state)
    return RedirectResponse(url)


@app.get("/own")
def own(state: str = ""):
    return RedirectResponse(links.generate(state=state))  # finding: open-redirect


@app.get("/back")
def back(state: str = ""):
    generator.generate(state=state)
    return RedirectResponse(state)  # finding: open-redirect
