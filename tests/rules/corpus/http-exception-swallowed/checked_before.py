"""The same check stands before the `try`: what it raises leaves there."""

from fastapi import FastAPI, HTTPException

app = FastAPI()
GROUPS = {1: ["a"]}


async def group_of(group_id: int) -> list[str]:
    if group_id not in GROUPS:
        raise HTTPException(404, "There is no such group.")
    return GROUPS[group_id]


@app.post("/groups/{group_id}/roles")
async def add_role(group_id: int, role: str) -> list[str]:
    await group_of(group_id)
    try:
        GROUPS[group_id].append(role)
        return await group_of(group_id)
    except Exception as error:  # silent: an unknown group has left before the try
        raise HTTPException(500, "The role was not added.") from error


@app.post("/groups/{group_id}/members")
async def add_member(group_id: int, other_id: int) -> list[str]:
    await group_of(group_id)
    try:
        return await group_of(other_id)
    except Exception as error:  # finding: http-exception-swallowed another group is asked for
        raise HTTPException(500, "The member was not added.") from error


@app.post("/groups/{group_id}/guests")
async def add_guest(group_id: int, checked: bool) -> list[str]:
    if not checked:
        await group_of(group_id)
    try:
        return await group_of(group_id)
    except Exception as error:  # finding: http-exception-swallowed it is not always checked before
        raise HTTPException(500, "The guest was not added.") from error


@app.delete("/groups/{group_id}")
async def remove(group_id: int) -> list[str]:
    await group_of(group_id)
    group_id = group_id + 1
    try:
        return await group_of(group_id)
    except Exception as error:  # finding: http-exception-swallowed the name means another group by now
        raise HTTPException(500, "The group was not removed.") from error


@app.get("/groups/{group_id}")
async def read(group_id: int) -> list[str]:
    try:
        return await group_of(group_id)
    except Exception as error:  # finding: http-exception-swallowed what comes behind the try does not help
        raise HTTPException(500, "The group was not read.") from error
    await group_of(group_id)
