"""The application."""

from fastapi import FastAPI

app = FastAPI()
