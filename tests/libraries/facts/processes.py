import asyncio
import importlib
import os
import subprocess
import sys

import uvicorn


def run(command: str, flag: bool):
    os.system(command)  # $ BlockingCall kind=subprocess; CommandExecution command=command args=command shell
    subprocess.run(["ls", command])  # $ BlockingCall kind=subprocess; CommandExecution
    subprocess.run(command, shell=True)  # $ BlockingCall kind=subprocess; CommandExecution command=command args=command shell
    subprocess.Popen(command, shell=flag)  # $ CommandExecution command=command args=command shell
    eval(command)  # $ CodeExecution code=command kind=eval
    exec(command)  # $ CodeExecution code=command kind=exec
    importlib.import_module(command)  # $ CodeExecution code=command kind=import
    getattr(sys, command)  # $ DynamicAttribute target=sys attribute=command kind=get
    setattr(sys, command, 1)  # $ DynamicAttribute target=sys attribute=command value=1 kind=set
    os.getenv("KEY", "x")  # : str  # $ EnvironmentRead
    os.environ.get("KEY")  # : None | str  # $ EnvironmentRead
    sys.exit(1)  # $ ProcessExit


async def later(command: str):
    await asyncio.create_subprocess_shell(command)  # : Process  # $ CommandExecution command=command args=command shell is_async
    await asyncio.create_subprocess_exec("ls", command)  # $ CommandExecution is_async


if __name__ == "__main__":
    uvicorn.run("app:app", reload=True, workers=2)  # $ ServerRun
