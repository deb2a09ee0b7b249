"""A small project without any service or repository: a long handler is no reason yet to build one."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/grade")
def grade(points: int, bonus: int, late: bool) -> str:  # silent: nothing to move it to, and one route
    if late:
        points -= 10
    if bonus > 3:
        points += 5
    if bonus > 5:
        points += 5
    if bonus > 7:
        points += 5
    if points >= 90:
        return "A"
    elif points >= 80:
        return "B"
    elif points >= 70:
        return "C"
    elif points >= 60:
        return "D"
    elif points >= 50:
        return "E"
    for limit in (40, 30, 20):
        if points > limit:
            return f"F{limit}"
    return "F"
