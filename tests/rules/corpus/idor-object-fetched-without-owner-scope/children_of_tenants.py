"""Harmful: a document, whose folder belongs to an organisation, is found by its number and nobody asks for the caller's organisation.
The parents are bare numbers without constraints, the session is the one that middleware opens, the routers are all that is known.
Harmless: the organisation of the document's folder is compared with the caller's."""

from fastapi import APIRouter, Depends, HTTPException, Security
from fastapi.security import APIKeyHeader
from fastapi_sqlalchemy import db
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()
router = APIRouter()
key = APIKeyHeader(name="X-Key")


class Organisation(Base):
    __tablename__ = "organisations"
    id = Column(Integer, primary_key=True)


class ApiKey(Base):
    __tablename__ = "api_keys"
    id = Column(Integer, primary_key=True)
    key = Column(String)
    organisation_id = Column(Integer)


class Folder(Base):
    __tablename__ = "folders"
    id = Column(Integer, primary_key=True)
    organisation_id = Column(Integer)


class Document(Base):
    __tablename__ = "documents"
    id = Column(Integer, primary_key=True)
    folder_id = Column(Integer)
    text = Column(String)


class Label(Base):
    __tablename__ = "labels"
    id = Column(Integer, primary_key=True)
    organisation_id = Column(Integer)


class Report(Base):
    __tablename__ = "reports"
    id = Column(Integer, primary_key=True)
    organisation_id = Column(Integer)


class Webhook(Base):
    __tablename__ = "webhooks"
    id = Column(Integer, primary_key=True)
    organisation_id = Column(Integer)


def organisation_of_key(given: str = Security(key)) -> Organisation:
    found = db.session.query(ApiKey).filter(ApiKey.key == given).first()
    if found is None:
        raise HTTPException(401)
    return db.session.query(Organisation).filter(Organisation.id == found.organisation_id).first()


def check_key(given: str = Security(key)) -> str:
    found = db.session.query(ApiKey).filter(ApiKey.key == given).first()
    if found is None:
        raise HTTPException(401)
    return found.key


@router.get("/labels")
def labels(organisation: Organisation = Depends(organisation_of_key)):
    return db.session.query(Label).filter(Label.organisation_id == organisation.id).all()


@router.get("/reports")
def reports(organisation: Organisation = Depends(organisation_of_key)):
    return db.session.query(Report).filter(Report.organisation_id == organisation.id).all()


@router.get("/webhooks")
def webhooks(organisation: Organisation = Depends(organisation_of_key)):
    return db.session.query(Webhook).filter(Webhook.organisation_id == organisation.id).all()


@router.get("/documents/{document_id}")
def document(document_id: int, given: str = Depends(check_key)):
    found = db.session.query(Document).filter(Document.id == document_id).first()  # finding: idor-object-fetched-without-owner-scope
    if found is None:
        raise HTTPException(404)
    return found.text


@router.put("/documents/{document_id}")
def change(document_id: int, text: str, organisation: Organisation = Depends(organisation_of_key)):
    found = db.session.query(Document).filter(Document.id == document_id).first()
    folder = db.session.query(Folder).filter(Folder.id == found.folder_id).first()
    if folder.organisation_id != organisation.id:
        raise HTTPException(404)
    found.text = text
