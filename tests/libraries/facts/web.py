from typing import Annotated

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    File,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
    status,
)
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, ORJSONResponse, RedirectResponse, StreamingResponse
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer, SecurityScopes
from fastapi.templating import Jinja2Templates
from starlette.background import BackgroundTask
from starlette.responses import Response as Plain

app = FastAPI()
router = APIRouter()
templates = Jinja2Templates(directory="templates")  # $ TemplateEnvironment escapes_by_default
bearer = HTTPBearer(auto_error=False)  # $ SecurityScheme kind=bearer auto_error=False
oauth2 = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "x"})  # $ SecurityScheme kind=oauth2-password
api_key = APIKeyHeader(name="X-Key")  # $ SecurityScheme kind=api-key-header


def compute(count: int) -> int:
    return count


async def guard(scopes: SecurityScopes, token=Depends(oauth2), credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    scopes.scopes  # : list[str]
    token  # : None | str
    credentials.credentials  # : str
    if not token:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})  # $ HttpError status=status.HTTP_401_UNAUTHORIZED
    return token


@app.post("/")
async def handler(
    request: Request,
    response: Response,
    background: BackgroundTasks,
    files: list[UploadFile],
    page: Annotated[int, Query()] = 1,
    size=Query(10, le=100),
    picture: UploadFile = File(),
    user=Security(guard, scopes=["me"]),
):
    request.headers.get("x")  # : None | str
    request.query_params["q"]  # : str
    request.client.host  # : str
    request.url.hostname  # : str
    request.app  # : FastAPI
    size  # : int
    user  # : None | str
    await request.body()  # : bytes  # $ RequestRead kind=body request=request
    data = await request.json()  # $ RequestRead kind=json request=request
    await request.form()  # : FormData[UploadFile | str]  # $ RequestRead kind=form request=request
    async for chunk in request.stream():  # $ RequestRead kind=stream request=request
        chunk  # : bytes
    for file in files:
        await file.read(1024)  # : bytes  # $ UploadRead upload=file size=1024
        file.filename  # : None | str
    content = await picture.read()  # $ UploadRead upload=picture
    picture.file.read()  # : bytes  # $ UploadRead upload=picture
    background.add_task(compute, 1, count=page)  # $ BackgroundTaskAdd target=compute args=1 tasks=background
    response.set_cookie("session", "x", httponly=True, secure=True, samesite="none", max_age=60)  # $ CookieSet secure httponly max_age=60
    response.delete_cookie("session")  # $ CookieDelete
    response.headers["X"] = str(request.url_for("handler"))  # $ UrlBuild
    await run_in_threadpool(compute, 1)  # : int  # $ ThreadOffload target=compute
    templates.TemplateResponse(request, "a.html", {"a": 1})  # $ TemplateRender is_response request_first
    request.state.db.commit()  # $ Commit sure=False
    return content, data


@router.get("/responses")
def responses(name: str, path: str):
    HTMLResponse(f"<b>{name}</b>")  # $ ResponseCreation kind=html
    JSONResponse({"a": 1}, status_code=201)  # $ ResponseCreation kind=json status=201
    ORJSONResponse(content={})  # $ ResponseCreation kind=json content={}
    RedirectResponse(name, status_code=303)  # $ ResponseCreation kind=redirect status=303 url=name
    FileResponse(path, filename=name)  # $ ResponseCreation kind=file path=path filename=name
    StreamingResponse(iter([]), media_type="text/csv")  # $ ResponseCreation kind=streaming content=iter([])
    Plain(name, media_type="text/html")  # $ ResponseCreation kind=html content=name
    Response(content=name, status_code=204, background=BackgroundTask(compute, 1))  # $ BackgroundTaskAdd target=compute args=1; ResponseCreation kind=raw content=name status=204


@app.websocket("/ws")
async def socket(websocket: WebSocket):
    await websocket.accept()  # $ WebSocketAccept
    try:
        while True:
            text = await websocket.receive_text()  # $ WebSocketReceive kind=text
            text  # : str
            await websocket.send_json({"text": text})  # $ WebSocketSend kind=json
    except WebSocketDisconnect:
        await websocket.close(code=1000)  # $ WebSocketClose code=1000
    async for each in websocket.iter_text():  # $ WebSocketReceive kind=iterate
        each  # : str
