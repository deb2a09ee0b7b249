"""The star is what an absent variable falls back to."""

import os

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

ORIGINS = os.getenv("CORS_ORIGINS", "*").split(",")
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=ORIGINS, allow_credentials=True)  # finding: cors-wildcard-with-credentials
