"""Which files are worth searching for credentials."""

import pytest

from fastapi_architect.analyses.credentials_in_text import credentials_in
from fastapi_architect.source.credential_marks import may_hold_credential

_LONG = "R7kQ2mX9wLp4Zt8Vb3Nc6Yd1Hf5Gj0SaUeIoTrEw"


@pytest.mark.parametrize(
    "text",
    [
        'URL = "postgresql://shop:Tz7-quarry-Lark41@db.bookshop.net/shop"',
        'KEY = "AKIAR7KQ2MX9WLP4ZT8V"',
        f'KEY = "ghp_{_LONG[:36]}"',
        f'KEY = "github_pat_{_LONG}"',
        f'KEY = "glpat-{_LONG[:20]}"',
        f'KEY = "xoxb-98765432-{_LONG[:20]}"',
        f'KEY = "xoxp-98765432-{_LONG[:20]}"',
        f'KEY = "AIza{_LONG[:35]}"',
        f'KEY = "sk_live_{_LONG[:20]}"',
        f'KEY = "sk-{_LONG}"',
        f"KEY = 'sk-proj-{_LONG}'",
        f'KEY = "SG.{_LONG[:22]}.{_LONG[:30]}"',
        f'KEY = "-----BEGIN RSA PRIVATE KEY-----\\n{_LONG}{_LONG}"',
    ],
)
def test_what_holds_a_credential_is_searched(text: str) -> None:
    data = text.encode()
    assert list(credentials_in(data, "settings.py"))
    assert may_hold_credential(data)


@pytest.mark.parametrize(
    "text", ["", "x = 1", 'URL = "https://docs.bookshop.net"', '@app.get("/books")\nasync def books(): ...']
)
def test_other_files_are_not(text: str) -> None:
    assert not may_hold_credential(text.encode())
