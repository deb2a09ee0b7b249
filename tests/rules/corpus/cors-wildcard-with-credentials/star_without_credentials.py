"""A star, but no cookies: answers that anybody may read anyway."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

ALLOWED = ["*"]
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=ALLOWED, allow_credentials=False)
