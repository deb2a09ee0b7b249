"""Dots are escaped, and what varies is one label between them."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origin_regex=r"^https://([a-z0-9-]+\.)?shop\.example\.com(:\d+)?$")
