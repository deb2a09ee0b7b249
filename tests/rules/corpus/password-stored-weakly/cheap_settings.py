"""Hashers that are made cheap, and one whose first scheme is no hash."""

import hashlib
import os

import bcrypt
from fastapi import FastAPI
from passlib.context import CryptContext

app = FastAPI()
plain = CryptContext(schemes=["plaintext", "bcrypt"])  # finding: password-stored-weakly
quick = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4)  # finding: password-stored-weakly


def hash_password(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=6))  # finding: password-stored-weakly


def derive(password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), os.urandom(16), 1000)  # finding: password-stored-weakly
