"""What goes into the query of an address does not choose where it leads."""

from urllib.parse import urlencode

import httpx
import yarl
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from pydantic_settings import BaseSettings

app = FastAPI()


class Settings(BaseSettings):
    authorization_url: str = "https://login.example.com/authorize"


settings = Settings()
AUTHORIZATION = httpx.URL("https://login.example.com/authorize")


@app.get("/login")
def login(state: str) -> RedirectResponse:
    params = {"client_id": "shop"}
    params["state"] = state
    return RedirectResponse(str(AUTHORIZATION.copy_with(params=params)))


@app.get("/login-2")
def login_2(state: str) -> RedirectResponse:
    return RedirectResponse(str(httpx.URL(settings.authorization_url, params={"state": state})))


@app.get("/login-3")
def login_3(state: str) -> RedirectResponse:
    return RedirectResponse(str(yarl.URL(settings.authorization_url).update_query({"state": state})))


@app.get("/login-4")
def login_4(state: str) -> RedirectResponse:
    return RedirectResponse(f"{settings.authorization_url}?{urlencode({'state': state})}")


@app.get("/again")
def again(request: Request, state: str) -> RedirectResponse:
    return RedirectResponse(str(request.url_for("login").include_query_params(state=state)))


@app.get("/saml")
async def saml(request: Request) -> RedirectResponse:
    form = await request.form()
    auth = OneLogin_Saml2_Auth({"post_data": form, "query": request.query_params}, settings)
    return RedirectResponse(auth.login())


@app.get("/host")
def host(name: str) -> RedirectResponse:
    return RedirectResponse(str(AUTHORIZATION.copy_with(host=name)))  # finding: open-redirect


@app.get("/next")
def next_page(next: str) -> RedirectResponse:
    return RedirectResponse(str(httpx.URL(next).copy_with(params={"from": "login"})))  # finding: open-redirect


@app.get("/relay")
def relay(state: str) -> RedirectResponse:
    return RedirectResponse(str(yarl.URL(state).with_query({"from": "login"})))  # finding: open-redirect
