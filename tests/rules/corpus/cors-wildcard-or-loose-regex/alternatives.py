"""Alternatives are tried one by one, and `.*` in front lets any domain end alike; a bare word or an address is nobody's."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origin_regex=".*.(shop.example|till.example)", allow_credentials=True)  # finding: cors-wildcard-or-loose-regex
second = FastAPI()
second.add_middleware(CORSMiddleware, allow_origin_regex=r"https://(www|app).shop\.example")  # finding: cors-wildcard-or-loose-regex
third = FastAPI()
third.add_middleware(CORSMiddleware, allow_origin_regex=r".*shop\.example")  # finding: cors-wildcard-or-loose-regex
escaped = FastAPI()
escaped.add_middleware(CORSMiddleware, allow_origin_regex=r"https://((www|app)\.shop|till)\.example")
subdomains = FastAPI()
subdomains.add_middleware(CORSMiddleware, allow_origin_regex=r".*\.shop\.example")
on_one_machine = FastAPI()
on_one_machine.add_middleware(CORSMiddleware, allow_origin_regex=r"https?://(localhost|127.0.0.1)(:\d+)?")
