"""The pattern is open at its end, so the domain may go on."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origin_regex=r"https://shop\.example\.com.*")  # finding: cors-wildcard-or-loose-regex
