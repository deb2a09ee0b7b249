"""Sandboxed frames of every site have the origin null; another application admits a site without TLS."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com", "null"])  # finding: cors-wildcard-or-loose-regex
other = FastAPI()
other.add_middleware(CORSMiddleware, allow_origins=["http://shop.example.com"], allow_credentials=True)  # finding: cors-wildcard-or-loose-regex
