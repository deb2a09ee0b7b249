"""Formats that hold code, and their safe twins."""

import hashlib
import hmac
import io
import json
import pickle

import dill
import joblib
import jsonpickle
import numpy
import torch
import yaml
from fastapi import FastAPI, HTTPException, Request, UploadFile

app = FastAPI()
KEY = b"k"


class OwnLoader(yaml.SafeLoader):
    pass


@app.post("/pickle")
async def unpickle(request: Request):
    return pickle.loads(await request.body())  # finding: unsafe-deserialization


@app.post("/upload")
async def upload(file: UploadFile):
    return pickle.load(file.file)  # finding: unsafe-deserialization


@app.post("/dill")
async def with_dill(file: UploadFile):
    content = await file.read()
    return dill.loads(content)  # finding: unsafe-deserialization


@app.post("/joblib")
async def with_joblib(file: UploadFile):
    return joblib.load(io.BytesIO(await file.read()))  # finding: unsafe-deserialization


@app.post("/torch")
async def with_torch(file: UploadFile):
    return torch.load(io.BytesIO(await file.read()), weights_only=False)  # finding: unsafe-deserialization


@app.post("/numpy")
async def with_numpy(file: UploadFile):
    return numpy.load(io.BytesIO(await file.read()), allow_pickle=True)  # finding: unsafe-deserialization


@app.post("/yaml")
def with_yaml(text: str):
    return yaml.load(text, Loader=yaml.Loader)  # finding: unsafe-deserialization


@app.post("/jsonpickle")
def with_jsonpickle(text: str):
    return jsonpickle.decode(text)  # finding: unsafe-deserialization


@app.post("/json")
async def with_json(request: Request):
    return json.loads(await request.body())  # silent: data alone


@app.post("/safe-yaml")
def safe_yaml(text: str):
    return yaml.safe_load(text)  # silent: data alone


@app.post("/safe-loader")
def safe_loader(text: str):
    return yaml.load(text, Loader=yaml.CSafeLoader)  # silent: data alone


@app.post("/own-loader")
def own_loader(text: str):
    return yaml.load(text, Loader=OwnLoader)  # silent: a safe loader with more


@app.post("/weights")
async def weights(file: UploadFile):
    return torch.load(io.BytesIO(await file.read()), weights_only=True)  # silent: data alone


@app.post("/numbers")
async def numbers(file: UploadFile):
    return numpy.load(io.BytesIO(await file.read()))  # silent: pickles are refused


@app.post("/signed")
async def signed(request: Request):
    body = await request.body()
    digest = hmac.new(KEY, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest, request.headers["x-signature"]):
        raise HTTPException(403)
    return pickle.loads(body)  # silent: whoever signs it holds the key


@app.get("/model")
def model(name: str):
    with open("/models/" + name, "rb") as file:
        return pickle.load(file)  # silent: a file of the server; its name is another rule's
