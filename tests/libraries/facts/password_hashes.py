import bcrypt
from argon2 import PasswordHasher
from passlib.context import CryptContext
from passlib.hash import md5_crypt
from pwdlib import PasswordHash

pwd_context = CryptContext(schemes=["bcrypt"])  # $ PasswordHasher
argon = PasswordHasher()  # $ PasswordHasher scheme=argon2
recommended = PasswordHash.recommended()  # $ PasswordHasher scheme=argon2
hash_password = pwd_context.hash


def check(password: str, hashed: str):
    hash_password(password)  # $ BlockingCall kind=cpu; PasswordHash password=password
    pwd_context.verify(password, hashed)  # : bool  # $ BlockingCall kind=cpu; PasswordVerify password=password hash=hashed
    bcrypt.hashpw(password.encode(), bcrypt.gensalt(4))  # $ BlockingCall kind=cpu; PasswordHash password=password.encode() scheme=bcrypt salt=bcrypt.gensalt(4)
    bcrypt.checkpw(password.encode(), hashed.encode())  # $ BlockingCall kind=cpu; PasswordVerify password=password.encode() hash=hashed.encode() scheme=bcrypt
    argon.hash(password)  # $ BlockingCall kind=cpu; PasswordHash password=password scheme=argon2
    argon.verify(hashed, password)  # $ BlockingCall kind=cpu; PasswordVerify password=password hash=hashed scheme=argon2
    recommended.hash(password)  # $ BlockingCall kind=cpu; PasswordHash password=password
    recommended.verify_and_update(password, hashed)  # $ BlockingCall kind=cpu; PasswordVerify password=password hash=hashed
    md5_crypt.hash(password)  # $ BlockingCall kind=cpu; PasswordHash password=password scheme=md5


def untyped(hasher):
    hasher.verify("a", "b")  # $ PasswordVerify sure=False
