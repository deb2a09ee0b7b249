"""The image starts the server as a developer would: reported at the image's command."""

from fastapi import FastAPI

app = FastAPI()
