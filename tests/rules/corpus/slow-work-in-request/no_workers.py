"""There is nobody else to send it."""

import smtplib

from fastapi import FastAPI

app = FastAPI()


@app.post("/invitations")
def invite(email: str) -> None:
    with smtplib.SMTP("mail.example", timeout=5) as server:
        server.sendmail("shop@example.com", email, "Hello")
