"""What a key looks like, and how one that is mistyped or made up is told from a real one without asking the database.

`app_4Kq…w9Zx` is the prefix of the service, 40 random letters and digits, and a checksum of six. The prefix and the
checksum let scanners of secrets find a key in a repository, and say that it is one.
"""

import hashlib
import re
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: 40 of 62 letters: 238 bits.
RANDOM_LENGTH = 40
CHECKSUM_LENGTH = 6
#: How much of a key is kept readable, so that its owner can tell which one it is.
HINT_LENGTH = 4
_BODY = re.compile(f"[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")


def new_key(prefix: str) -> str:
    """Return a new key: `prefix`, an underscore, random letters, a checksum."""
    start = f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return start + checksum(start)


def looks_right(key: str, prefix: str) -> bool:
    """Tell whether this can be a key of the service: of its form, and with a checksum that fits."""
    start, separator, body = key.rpartition("_")
    if start != prefix or not separator or _BODY.fullmatch(body) is None:
        return False
    return checksum(key[:-CHECKSUM_LENGTH]) == key[-CHECKSUM_LENGTH:]


def checksum(text: str) -> str:
    """Return the CRC-32 of a text in six letters. It finds typing errors; it proves nothing."""
    number = zlib.crc32(text.encode())
    letters = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))


def hash_key(key: str) -> str:
    """Return what is stored. The key is random, so that a fast hash is enough and can be searched for."""
    return hashlib.sha256(key.encode()).hexdigest()


def hint_of(key: str) -> str:
    """Return the beginning of a key, by which its owner knows it again."""
    return key[: key.rindex("_") + 1 + HINT_LENGTH]
