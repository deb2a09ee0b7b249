"""A key in a provider's format, basic authentication, a random default, and a broker's password."""

import httpx
from celery import Celery
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    smtp_password: str = "kV9xQ2mL7pT4wZ8rB3nH"  # finding: hardcoded-credential


settings = Settings()
queue = Celery("shop", broker="amqp://shop:Walnut-Desk-42@queue.bookshop.net//")  # finding: hardcoded-credential
app = FastAPI()
MAPS = {"key": "AIzaQ7w2Er5Ty8Ui1Op4As6Df9Gh3Jk0Lz5Xc2V"}  # finding: hardcoded-credential
WORDS = {"key": "sk-proj-Zk7Qw2Er5Ty8Ui1Op4As6Df9Gh3Jk"}  # finding: hardcoded-credential


@app.get("/stock")
def stock() -> str:
    return httpx.get("https://stock.bookshop.net/v1", auth=("shop", "Otter-Lamp-17"), timeout=5).text  # finding: hardcoded-credential
