import smtplib
import socket
import urllib.request
from urllib.parse import urlparse

import aiohttp
import httpx
import requests
import urllib3
from httpx import AsyncClient as Client

session = requests.Session()  # $ ClientCreation kind=http
shared = httpx.AsyncClient(timeout=10, verify=False)  # $ ClientCreation kind=http is_async timeout=10 timeout_given default_timeout=5.0 verify=False


class Service:
    def __init__(self, client: httpx.AsyncClient | None = None):
        self.own = httpx.Client(base_url="http://x", timeout=None)  # $ ClientCreation kind=http timeout=None timeout_given default_timeout=5.0
        self.client = client

    async def call(self, url: str):
        self.own.get(url)  # $ BlockingCall kind=http; OutboundRequest url=url method=GET timeout=None timeout_given default_timeout=5.0
        await self.client.post(url)  # $ OutboundRequest url=url method=POST is_async default_timeout=5.0


def synchronous(url: str):
    requests.get(url)  # $ BlockingCall kind=http; OutboundRequest url=url method=GET
    requests.request("DELETE", url, timeout=3)  # $ BlockingCall kind=http; OutboundRequest url=url method=DELETE timeout=3 timeout_given
    session.post(url, json={}, verify=False).json()  # $ BlockingCall kind=http; OutboundRequest url=url method=POST verify=False data={}
    requests.get(url).status_code  # : int  # $ BlockingCall kind=http; OutboundRequest url=url method=GET
    urllib.request.urlopen(url, timeout=1).read()  # : bytes  # $ BlockingCall kind=http; OutboundRequest url=url method=GET timeout=1 timeout_given
    urllib3.PoolManager().request("GET", url)  # $ BlockingCall kind=http; ClientCreation kind=http; OutboundRequest url=url
    socket.create_connection((url, 80))  # $ BlockingCall kind=network; OutboundRequest
    with smtplib.SMTP("host") as mail:  # $ BlockingCall kind=network; ClientCreation kind=mail managed
        mail.sendmail("a", "b", "c")  # $ BlockingCall kind=network; EmailSend
    urlparse(url).hostname  # : str
    httpx.get(url)  # $ BlockingCall kind=http; OutboundRequest url=url method=GET default_timeout=5.0


async def asynchronous(url: str):
    await shared.get(url)  # $ OutboundRequest url=url method=GET timeout=10 timeout_given is_async default_timeout=5.0 verify=False
    async with Client() as client:  # $ ClientCreation kind=http is_async default_timeout=5.0 managed
        response = await client.get(url)  # $ OutboundRequest url=url method=GET is_async default_timeout=5.0
        response.text  # : str
        async with client.stream("GET", url) as streamed:  # $ OutboundRequest url=url method=GET is_async default_timeout=5.0
            streamed  # : Response
    async with aiohttp.ClientSession() as http:  # $ ClientCreation kind=http is_async default_timeout=300.0 managed
        async with http.get(url) as answer:  # $ OutboundRequest url=url method=GET is_async default_timeout=300.0
            await answer.text()  # : str
