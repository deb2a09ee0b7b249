"""Password hashes of several libraries, archives and uploads, on the loop."""

import gzip
import hashlib

import bcrypt
from fastapi import FastAPI, UploadFile
from passlib.context import CryptContext

app = FastAPI()
context = CryptContext(schemes=["bcrypt"])


@app.post("/login")
async def login(password: str, stored: str) -> bool:
    return context.verify(password, stored)  # finding: cpu-bound-work-on-loop


@app.post("/bcrypt")
async def with_bcrypt(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())  # finding: cpu-bound-work-on-loop


@app.post("/pbkdf2")
async def with_pbkdf2(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 600_000).hex()  # finding: cpu-bound-work-on-loop


@app.post("/uploads")
async def pack(upload: UploadFile) -> int:
    return len(gzip.compress(await upload.read()))  # finding: cpu-bound-work-on-loop
