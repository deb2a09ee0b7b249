"""Links on the client's host, and links on our own."""

import os
import smtplib
from email.message import EmailMessage

from fastapi import BackgroundTasks, FastAPI, Request

app = FastAPI()
SITE = os.environ["SITE"]
PUBLIC = os.environ.get("PUBLIC")
HOSTS = {"shop.example"}


def deliver(address: str, text: str) -> None:
    message = EmailMessage()
    message["To"] = address
    message.set_content(text)
    with smtplib.SMTP("mail.shop.example", timeout=5) as server:
        server.send_message(message)


def make_reset_link(request: Request, token: str) -> str:
    return f"{request.base_url}reset?token={token}"  # finding: host-header-in-security-link


@app.post("/forgot")
def forgot(address: str, request: Request):
    deliver(address, make_reset_link(request, "t"))


@app.post("/verify")
def verify(address: str, request: Request):
    link = str(request.url_for("confirm", token="t"))  # finding: host-header-in-security-link
    deliver(address, f"Confirm: {link}")


@app.get("/confirm/{token}")
def confirm(token: str, request: Request):
    return {"here": str(request.base_url)}


@app.post("/invite")
def invite(address: str, request: Request, tasks: BackgroundTasks):
    host = request.headers.get("X-Forwarded-Host", "")  # finding: host-header-in-security-link
    tasks.add_task(send_invitation_email, address, f"https://{host}/join?token=t")


def send_invitation_email(address: str, link: str) -> None:
    deliver(address, link)


@app.post("/reset-configured")
def reset_configured(address: str, request: Request):
    base = PUBLIC or str(request.base_url)  # finding: host-header-in-security-link
    deliver(address, f"{base}/reset?token=t")


@app.post("/reset-ours")
def reset_ours(address: str, request: Request):
    deliver(address, f"{SITE}/reset?token=t")


@app.post("/reset-checked")
def reset_checked(address: str, request: Request):
    host = request.headers["host"]
    if host not in HOSTS:
        return
    deliver(address, f"https://{host}/reset?token=t")


@app.post("/newsletter")
def newsletter(address: str, request: Request):
    deliver(address, f"News: {request.base_url}news")


@app.post("/reset-relative")
def reset_relative(address: str, request: Request):
    return {"next": str(request.url_for("confirm", token="t"))}


@app.post("/reset-by-part")
def reset_by_part(address: str, request: Request):
    link = f"https://{request.url.netloc}/reset?token=t"  # finding: host-header-in-security-link
    deliver(address, link)


class Provider:
    def send_verify_email(self, user_id: str, redirect_uri: str) -> None: ...


provider = Provider()


@app.post("/at-the-provider")
def at_the_provider(user_id: str, request: Request):
    provider.send_verify_email(user_id=user_id, redirect_uri=f"{request.base_url}verified")


@app.post("/own-mail-with-the-same-name")
def own_mail(address: str, request: Request):
    back = f"{request.base_url}verified?token=t"  # finding: host-header-in-security-link
    send_verification_email(address, redirect_url=back)


def send_verification_email(address: str, redirect_url: str) -> None:
    deliver(address, f"Confirm: {redirect_url}")
