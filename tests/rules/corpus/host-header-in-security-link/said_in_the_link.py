"""What a mail is for stands in the link, or in the function that is handed over, and in no name."""

from email.message import EmailMessage
from smtplib import SMTP

from fastapi import BackgroundTasks, FastAPI, Request

app = FastAPI()


def post(address: str, text: str) -> None:
    message = EmailMessage()
    message["To"] = address
    message.set_content(text)
    with SMTP("mail.shop.example", timeout=5) as server:
        server.send_message(message)


@app.post("/a")
def in_the_link(address: str, request: Request) -> None:
    link = f"{request.base_url}verify?token=t"  # finding: host-header-in-security-link
    message = EmailMessage()
    message.set_content(link)
    with SMTP("mail.shop.example", timeout=5) as server:
        server.send_message(message)


@app.post("/b")
def another_link(address: str, request: Request) -> None:
    link = f"{request.base_url}news?page=1"
    message = EmailMessage()
    message.set_content(link)
    with SMTP("mail.shop.example", timeout=5) as server:
        server.send_message(message)


def send_email(address: str, host: str) -> None:
    post(address, f"Confirm your address: {host}/accounts")


def send_news_email(address: str, host: str) -> None:
    post(address, f"Read our news: {host}/news")


@app.post("/c")
def handed_over(address: str, tasks: BackgroundTasks, request: Request) -> None:
    tasks.add_task(send_email, address, str(request.base_url))  # finding: host-header-in-security-link


@app.post("/d")
def news_handed_over(address: str, tasks: BackgroundTasks, request: Request) -> None:
    tasks.add_task(send_news_email, address, str(request.base_url))
