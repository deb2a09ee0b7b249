import base64
import datetime as dt
import hashlib
import hmac
import json
import pickle
import random
import secrets
import uuid
from datetime import datetime, timezone

import pandas
import yaml


def read(data: bytes, text: str):
    pickle.loads(data)  # $ Deserialization data=data format=pickle
    yaml.load(text, Loader=yaml.SafeLoader)  # $ Deserialization data=text format=yaml safe loader=yaml.SafeLoader
    yaml.load(text, Loader=yaml.Loader)  # $ Deserialization data=text format=yaml loader=yaml.Loader
    yaml.safe_load(text)  # $ Deserialization data=text format=yaml safe
    json.loads(text)  # $ Deserialization data=text format=json safe
    json.dumps({})  # : str  # $ Serialization value={} format=json
    pandas.read_csv(text)  # $ BlockingCall kind=cpu; OutboundRequest url=text method=GET
    pandas.read_pickle(text)  # $ Deserialization data=text format=pickle


def make(data: bytes):
    random.randint(1, 2)  # : int  # $ RandomValue kind=number
    random.SystemRandom().choice([1])  # $ RandomValue secure kind=choice
    secrets.token_hex(8)  # : str  # $ RandomValue secure kind=text size=8
    uuid.uuid4().hex  # : str  # $ RandomValue secure kind=uuid
    uuid.uuid1()  # $ RandomValue kind=uuid
    hashlib.md5(data).hexdigest()  # : str  # $ Digest algorithm=md5 weak data=data for_security
    hashlib.md5(data, usedforsecurity=False)  # $ Digest algorithm=md5 weak data=data
    hashlib.new("SHA-1", data)  # $ Digest algorithm=sha1 weak data=data for_security
    hmac.new(b"key", data, "sha256")  # $ MessageAuthentication message=data
    hmac.compare_digest("a", "b")  # : bool  # $ SecretComparison
    hashlib.pbkdf2_hmac("sha256", data, b"salt", 1000)  # $ BlockingCall kind=cpu; KeyDerivation scheme=pbkdf2 password=data iterations=1000
    base64.b64encode(data)  # $ Encoding kind=base64-encode data=data
    datetime.utcnow()  # : datetime  # $ ClockRead kind=utcnow
    datetime.now(timezone.utc)  # $ ClockRead kind=now aware
    dt.datetime.now() - dt.timedelta(days=1)  # $ ClockRead kind=now
