"""A comparison with a password that nobody has only takes the time that a real one takes."""

from fastapi import FastAPI

app = FastAPI()
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
HASHES: dict[str, str] = {}


def verify_password(password: str, stored: str) -> bool:
    return password == stored


def has_role(user: str, role: str) -> bool:
    return user == role


@app.post("/login")
def login(user: str, password: str) -> bool:
    stored = HASHES.get(user)
    if stored is None:
        verify_password(password, NOBODY)
        return False
    return verify_password(password, stored)


@app.delete("/users/{user}")
def delete(user: str) -> None:
    has_role(user, "admin")  # finding: permission-result-ignored
    HASHES.pop(user)
