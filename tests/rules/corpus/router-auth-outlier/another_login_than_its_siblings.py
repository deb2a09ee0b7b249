"""A route signs in by another dependency than its siblings: a library says who is calling, and who is nobody is refused."""

from typing import Annotated, Any

import company_login
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

login = company_login.Login(auto_error=False)
router = APIRouter(prefix="/teams")
SHELVES: dict[int, str] = {}


def get_context(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


def get_user(caller: Annotated[Any, Depends(login.get_user)]) -> Any:
    if not caller:
        raise HTTPException(401, "Who are you?")
    return caller


def get_shelf(shelf_id: int, shelves: Annotated[Any, Depends(company_login.get_shelves)]) -> Any:
    if shelf_id not in shelves:
        raise HTTPException(403, "No such shelf")
    return shelves[shelf_id]


Context = Annotated[str, Depends(get_context)]


@router.get("/{team_id}")
def read_team(team_id: int, context: Context) -> str:
    return context


@router.put("/{team_id}")
def rename_team(team_id: int, context: Context) -> str:
    return context


@router.delete("/{team_id}")
def delete_team(team_id: int, context: Context) -> str:
    return context


@router.post("/{team_id}/members")
def add_member(team_id: int, context: Context) -> str:
    return context


@router.delete("/{team_id}/members")
def remove_members(team_id: int, context: Context) -> str:
    return context


@router.put("/{team_id}/name")
def give_name(team_id: int, context: Context) -> str:
    return context


@router.put("/{team_id}/colour")
def give_colour(team_id: int, context: Context) -> str:
    return context


@router.put("/{team_id}/owner")
def give_owner(team_id: int, context: Context) -> str:
    return context


@router.post("")
def create_team(user: Annotated[Any, Depends(get_user)]) -> str:
    return str(user)


@router.post("/shelves/{shelf_id}")
def fill_shelf(shelf_id: int, text: str, shelf: Annotated[Any, Depends(get_shelf)]) -> str:  # finding: router-auth-outlier
    SHELVES[shelf_id] = text
    return str(shelf)


app = FastAPI()
app.include_router(router)
