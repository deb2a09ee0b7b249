import glob
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import aiofiles
import anyio


def synchronous(name: str, upload):
    with open(name) as file:  # $ BlockingCall kind=file; FileAccess path=name mode=read
        file.read()  # : str
    with Path("a").open("wb") as binary:  # $ BlockingCall kind=file; FileAccess mode=write
        binary.read()  # : bytes
    path = Path("base") / name
    path.resolve()  # : Path  # $ PathResolution path=path
    path.read_text()  # : str  # $ BlockingCall kind=file; FileAccess path=path mode=read whole
    path.write_bytes(b"")  # $ BlockingCall kind=file; FileAccess path=path mode=write
    path.unlink()  # $ FileAccess path=path mode=delete
    path.parent  # : Path
    os.remove(name)  # $ FileAccess path=name mode=delete
    os.path.join("a", name)  # : str
    shutil.rmtree(name)  # $ BlockingCall kind=file; FileAccess path=name mode=delete
    shutil.move(name, "b")  # $ BlockingCall kind=file; FileAccess path=name mode=move
    with open(name, "wb") as target:  # $ BlockingCall kind=file; FileAccess path=name mode=write
        shutil.copyfileobj(upload.file, target)  # $ BlockingCall kind=file; FileCopy source=upload.file target=target
    zipfile.ZipFile(name).extractall("target")  # $ ArchiveExtraction archive=zipfile.ZipFile(name) format=zip; BlockingCall kind=cpu; FileAccess path=name mode=read
    tarfile.open(name).extractall("target", filter="data")  # $ ArchiveExtraction archive=tarfile.open(name) format=tar; BlockingCall kind=cpu; FileAccess path=name mode=read
    glob.glob(name)  # $ BlockingCall kind=file; FileAccess path=name mode=list
    with tempfile.NamedTemporaryFile() as temporary:
        temporary.name  # : str


async def asynchronous(name: str):
    async with aiofiles.open(name, "wb") as file:  # $ FileAccess path=name mode=write is_async
        await file.write(b"")
    async with aiofiles.open(name) as text:  # $ FileAccess path=name mode=read is_async
        await text.read()  # : str
    await aiofiles.os.remove(name)  # $ FileAccess path=name mode=delete is_async
    await anyio.Path(name).read_text()  # : str  # $ FileAccess path=anyio.Path(name) mode=read is_async whole
