import jwt
from authlib.jose import jwt as authlib_jwt
from cryptography.fernet import Fernet
from itsdangerous import URLSafeTimedSerializer
from jose import JWTError
from jose import jwt as jose_jwt

SECRET = "x"
signer = URLSafeTimedSerializer(SECRET)  # $ CipherKey key=SECRET scheme=itsdangerous


def encode(claims: dict, token: str):
    jwt.encode(claims, SECRET, algorithm="HS256")  # : str  # $ TokenEncode payload=claims key=SECRET
    jwt.decode(token, SECRET, algorithms=["HS256"])  # $ TokenDecode token=token key=SECRET verified expiry_checked
    jwt.decode(token, options={"verify_signature": False})  # $ TokenDecode token=token
    jwt.decode(token, SECRET, ["HS256"], {"verify_exp": False})  # $ TokenDecode token=token key=SECRET verified
    jwt.get_unverified_header(token)  # $ TokenHeaderRead token=token
    jose_jwt.decode(token, SECRET)  # $ TokenDecode token=token key=SECRET verified expiry_checked
    jose_jwt.get_unverified_claims(token)  # $ TokenDecode token=token
    jose_jwt.encode(claims, SECRET)  # $ TokenEncode payload=claims key=SECRET
    authlib_jwt.decode(token, SECRET)  # $ TokenDecode token=token key=SECRET verified
    signer.dumps(claims)  # $ TokenEncode payload=claims
    signer.loads(token, max_age=60)  # $ TokenDecode token=token verified expiry_checked
    Fernet(SECRET).encrypt(b"")  # $ CipherKey key=SECRET scheme=fernet
    raise JWTError
