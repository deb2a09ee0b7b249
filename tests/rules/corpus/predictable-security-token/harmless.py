import hashlib
import hmac
import random
import secrets
import time
import uuid

from fastapi import FastAPI

app = FastAPI()
SECRET_KEY = "of the environment"
rng = random.Random(7)


def wait() -> None:
    time.sleep(random.uniform(0.1, 0.5))  # silent: jitter


def sample_tokens(tokens: list[str]) -> list[str]:
    return random.sample(tokens, 3)  # silent: words of a language model


@app.post("/tokens")
def make_token(email: str) -> dict[str, str]:
    reset_token = secrets.token_urlsafe(32)  # silent: the system chooses
    session_token = str(uuid.uuid4())  # silent: 122 random bits
    access_token = f"{secrets.token_hex(16)}-{int(time.time())}"  # silent: the time stands beside 128 random bits
    invite_token = hashlib.sha256(f"{email}{SECRET_KEY}".encode()).hexdigest()  # silent: nobody else knows the key
    login_token = hmac.new(SECRET_KEY.encode(), email.encode(), "sha256").hexdigest()
    otp = f"{secrets.randbelow(10**6):06d}"  # silent: six digits that nobody can foresee
    api_key = random.SystemRandom().choice("abcdef")  # silent: the system chooses
    csrf_token = secrets.token_hex(8)  # silent: good for one page
    demo_password = rng.choice(["a", "b"])  # silent: a seed of its own
    page_token = str(random.random())  # silent: where a list goes on
    expires = time.time() + 600
    token_expiry = int(time.time())
    file_token_name = uuid.uuid5(uuid.NAMESPACE_URL, email)
    return {"reset_token": reset_token, "expires": str(expires), "otp": otp}


def of_row(row: dict[str, str], name: str, default: str = "") -> str:
    return row.get(name) or default


@app.post("/imports")
def import_row(row: dict[str, str]) -> dict[str, str]:
    order_number = of_row(row, "order_number", default="".join(random.choices("ABC", k=6)))  # silent: an order's number
    license_key = of_row(row, "license_key")  # silent: the default is the other call's
    return {"order": order_number, "license": license_key}
