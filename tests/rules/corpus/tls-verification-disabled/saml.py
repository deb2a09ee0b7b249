"""Options of pysaml2."""

from fastapi import APIRouter, FastAPI
from saml2.client import Saml2Client
from saml2.config import SPConfig

router = APIRouter(prefix="/saml")


def client(strict: bool) -> Saml2Client:
    options = {
        "entityid": "https://shop.example.com",
        "service": {
            "sp": {
                "want_response_signed": True,
                "validate_certificate": False,  # finding: tls-verification-disabled
            },
        },
    }
    config = SPConfig()
    config.load(options)
    return Saml2Client(config)


def strict_client() -> Saml2Client:
    config = SPConfig()
    config.load({"service": {"sp": {"want_response_signed": True, "validate_certificate": True}}})
    return Saml2Client(config)


@router.get("/login")
def login() -> str:
    return client(True).prepare_for_authenticate()[0]


app = FastAPI()
app.include_router(router)
