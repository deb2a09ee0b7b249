import logging

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)


class AccountManager:
    def on_after_forgot_password(self, email: str, token: str) -> None:
        logger.info("%s has forgotten the password, token %s", email, token)  # finding: sensitive-data-logged


@app.post("/webhooks")
def add_webhook(url: str, client_secret: str) -> None:
    data = {"url": url, "client_secret": client_secret}
    logger.debug("adding %s", data)  # finding: sensitive-data-logged
    AccountManager().on_after_forgot_password("ada@example.org", "t")
