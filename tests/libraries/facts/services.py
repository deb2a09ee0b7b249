import boto3
import stripe
from anthropic import Anthropic
from cachetools import TTLCache, cached
from fastapi import Depends
from fastapi_cache.decorator import cache
from fastapi_limiter.depends import RateLimiter
from fastapi_mail import FastMail
from jinja2 import Environment, Template
from markupsafe import Markup
from openai import AsyncOpenAI, OpenAI
from slowapi import Limiter
from tenacity import retry, stop_after_attempt

limiter = Limiter(key_func=str)
s3 = boto3.client("s3", endpoint_url="http://x")  # $ ClientCreation kind=object-storage default_timeout=60.0
environment = Environment(autoescape=True)  # $ TemplateEnvironment autoescape


@limiter.limit("5/minute")  # $ RateLimit
@cache(expire=60)  # $ CacheDecorator ttl=60 shared of_response
async def route(request, limit=Depends(RateLimiter(times=2, seconds=5))):  # $ RateLimit limit=2
    return 1


@retry(stop=stop_after_attempt(3))  # $ Retry kind=decorator stop=stop_after_attempt(3)
def upload(body: bytes, key: str):
    s3.put_object(Bucket="b", Key=key, Body=body)  # $ BlockingCall kind=http; ObjectStorageCall operation=put key=key
    s3.upload_file("local", "b", key)  # $ BlockingCall kind=http; ObjectStorageCall operation=put key=key


@cached(TTLCache(1, 2))  # $ CacheDecorator
def webhook(payload: bytes, header: str, source: str):
    stripe.Webhook.construct_event(payload, header, "secret")  # $ SignatureVerification provider=stripe payload=payload signature=header
    stripe.PaymentIntent.create(amount=1)  # $ BlockingCall kind=http; PaidApiCall provider=stripe
    OpenAI(timeout=3).chat.completions.create(model="x")  # $ BlockingCall kind=http; ClientCreation kind=model-api timeout=3 timeout_given default_timeout=600.0; PaidApiCall provider=openai
    Anthropic().messages.create(model="x")  # $ BlockingCall kind=http; ClientCreation kind=model-api default_timeout=600.0; PaidApiCall provider=anthropic
    Template(source).render(name=source)  # : str  # $ TemplateRender template=Template(source); TemplateSource source=source engine=jinja2
    environment.from_string(source)  # $ TemplateSource source=source engine=jinja2
    environment.get_template("a.html").render({"a": 1})  # $ TemplateRender
    Markup(source)  # $ SafeMarkup text=source


async def mail(message):
    await FastMail(None).send_message(message)  # $ EmailSend message=message is_async
    await AsyncOpenAI().chat.completions.create(model="x")  # $ ClientCreation kind=model-api is_async default_timeout=600.0; PaidApiCall provider=openai
