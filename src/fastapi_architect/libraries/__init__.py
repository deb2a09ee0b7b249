"""Libraries described in concepts: one file a library. The only place where their names are known.

Canonical names are those of the package that defines a thing: `starlette.requests.Request` also for
`fastapi.Request`, but `fastapi.HTTPException` for what FastAPI derives itself. Large libraries have a file
for each part (`sqlalchemy_orm`, `stdlib_files`); a library of which only names matter is a table in
`tables/*.toml`. `table`, `results` and `origin` hold what descriptions are made with.
"""
