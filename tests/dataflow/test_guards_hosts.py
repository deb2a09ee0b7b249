"""Every check of where an address leads, beside the one that looks like it and is none."""

import pytest
from tests.dataflow.marked_functions import expected, left

CASES = {
    "nothing is checked": """
        def given(url):
            fetched(url)  # left: host, rest
            sent(url)  # left: host, rest

        def of_a_host(host):
            fetched(f"https://{host}/health")  # left: host, rest

        def below_a_domain(name):
            fetched(f"https://{name}.example.com/")  # left: host, rest

        def joined(path):
            fetched(urljoin("https://api.example.com/", path))  # left: host, rest
    """,
    "fixed hosts": """
        API = "https://api.example.com"

        class settings:
            url = make_url_of_environment()

        def behind_a_slash(path):
            fetched(f"https://api.example.com/{path}")  # left: nothing
            sent("https://api.example.com/" + path)  # left: nothing

        def behind_a_constant(path):
            fetched(f"{API}/{path}")  # left: nothing

        def right_behind_the_host(path):
            fetched(f"{API}{path}")  # left: rest
            sent("https://api.example.com" + path)  # left: rest

        def behind_a_setting(path):
            fetched(f"{settings.url}{path}")  # left: nothing

        def behind_a_host_of_settings(path, port):
            fetched(f"http://{settings.host}:{port}/{path}")  # left: nothing

        def behind_a_scheme_of_settings(host):
            fetched(f"{settings.scheme}://{host}/")  # left: host, rest

        def in_the_query(value):
            sent("/login?next=" + value)  # left: nothing

        def formatted(path):
            fetched("https://api.example.com/{}".format(path))  # left: nothing
            fetched("https://api.example.com/%s" % path)  # left: nothing
            fetched("{}/{}".format(settings.url, path))  # left: nothing
            fetched("%s/%s" % (settings.url, path))  # left: nothing
            fetched("/".join([settings.url, path]))  # left: nothing
            fetched("{}/{}".format(path, "x"))  # left: host, rest

        def encoded(words):
            sent(settings.url + urlencode({"words": words}))  # left: nothing

        async def made_by_a_client(state):
            sent(await client.get_authorization_url("https://example.com/callback", state))  # left: nothing

        def put_into_the_query(url, words, made):
            sent(made.include_query_params(words=words))  # left: host, rest

        def behind_one_slash(path):
            sent(f"/{path}")  # left: rest

        def behind_a_folder(path):
            sent(f"/books/{path}")  # left: nothing
    """,
    "the host is compared": """
        def member(url):
            if urlparse(url).hostname not in ALLOWED:
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def equal(url):
            parsed = urlparse(url)
            if parsed.hostname != "example.com":
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def by_a_variable(url):
            host = (urlparse(url).hostname or "").lower()
            if host not in ALLOWED:
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def the_same_site(url):
            joined = urljoin("https://api.example.com", url)
            parts, own = urlparse(joined), urlparse("https://api.example.com")
            if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
                raise HTTPException(400)
            fetched(joined)  # left: host, rest

        def the_same_site_by_single_names(url):
            joined = urljoin("https://api.example.com", url)
            parts = urlparse(joined)
            own = urlparse("https://api.example.com")
            if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
                raise HTTPException(400)
            if own:
                joined = joined + "?page=1"
            fetched(joined)  # left: nothing

        def another_address(url, other):
            if urlparse(other).hostname not in ALLOWED:
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def bound_again(url, other):
            host = urlparse(url).hostname
            url = other
            if host not in ALLOWED:
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def the_scheme(url):
            if urlparse(url).scheme not in ("http", "https"):
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def forbidden_hosts(url):
            if urlparse(url).hostname in ("localhost", "127.0.0.1"):
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def below_the_domain(url):
            host = urlparse(url).hostname or ""
            if not host.endswith(".example.com"):
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def the_end_alone(url):
            host = urlparse(url).hostname or ""
            if not host.endswith("example.com"):
                raise HTTPException(400)
            fetched(url)  # left: rest

        def one_of_the_domains(url):
            host = urlparse(url).hostname or ""
            if not any(host == domain or host.endswith("." + domain) for domain in ALLOWED):
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def the_end_of_the_address(url):
            if not url.endswith("example.com"):
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def somewhere_in_the_address(url):
            if "example.com" not in url:
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def starts_with_the_host(url):
            if not url.startswith("https://example.com"):
                raise HTTPException(400)
            fetched(url)  # left: rest

        def starts_with_the_host_and_a_slash(url):
            if not url.startswith("https://example.com/"):
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def starts_with_the_scheme(url):
            if not url.startswith(("http://", "https://")):
                raise HTTPException(400)
            fetched(url)  # left: host, rest

        def asserted(url):
            assert urlparse(url).hostname in ALLOWED
            fetched(url)  # left: host, rest
    """,
    "within this site": """
        def begins_with_a_slash(target):
            if not target.startswith("/"):
                target = "/"
            sent(target)  # left: rest

        def begins_with_one_slash(target):
            if not target.startswith("/") or target.startswith("//"):
                raise HTTPException(400)
            sent(target)  # left: nothing

        def has_no_host(target):
            if urlparse(target).netloc:
                raise HTTPException(400)
            sent(target)  # left: nothing

        def has_no_scheme(target):
            if urlparse(target).scheme:
                raise HTTPException(400)
            sent(target)  # left: host, rest

        def has_no_host_or_scheme(target):
            parsed = urlparse(target)
            if parsed.scheme or parsed.netloc:
                return sent("/")  # left: nothing
            sent(target)  # left: nothing

        def registered(target, client):
            if target not in _registered():
                raise HTTPException(400)
            sent(target)  # left: nothing

        def _registered(): ...

        def the_registered_one(target):
            if _normalised(target) != _normalised(_registered()):
                raise HTTPException(400)
            sent(target)  # left: nothing

        def two_of_the_request(target, other):
            if _normalised(target) != _normalised(other):
                raise HTTPException(400)
            sent(target)  # left: host, rest

        def stripped_and_put_behind_a_slash(target):
            sent("/" + target.lstrip("/"))  # left: nothing
    """,
    "addresses": """
        def _ensure_public(url):
            host = urlparse(url).hostname
            for info in socket.getaddrinfo(host, None):
                address = ipaddress.ip_address(info[4][0])
                if not address.is_global:
                    raise HTTPException(400)

        def resolved(url):
            _ensure_public(url)
            fetched(url)  # left: nothing
            sent(url)  # left: host, rest

        def _is_private(host):
            address = ipaddress.ip_address(socket.gethostbyname(host))
            return address.is_private

        def resolved_by_host(url):
            if _is_private(urlparse(url).hostname):
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def a_literal_address_only(url):
            host = urlparse(url).hostname
            try:
                if ipaddress.ip_address(host).is_private:
                    raise HTTPException(400)
            except ValueError:
                pass
            fetched(url)  # left: host, rest

        def resolved_and_not_looked_at(url):
            socket.gethostbyname(urlparse(url).hostname)
            fetched(url)  # left: host, rest
    """,
    "helpers": """
        def _is_allowed(url):
            parsed = urlparse(url)
            if parsed.scheme != "https":
                return False
            return parsed.hostname in ALLOWED

        def answered(url):
            if not _is_allowed(url):
                raise HTTPException(400)
            fetched(url)  # left: nothing

        def _check_host(host):
            if host not in ALLOWED:
                raise HTTPException(400)

        def checked(url):
            _check_host(urlparse(url).hostname)
            fetched(url)  # left: nothing

        def _cleaned(url):
            if urlparse(url).hostname in ALLOWED:
                return url
            return "https://example.com/"

        def cleaned(url):
            fetched(_cleaned(url))  # left: nothing

        def _safe(target):
            if target and target.startswith("/") and not target.startswith("//"):
                return target
            return "/"

        def made_safe(target):
            sent(_safe(target))  # left: nothing

        def _looks_like_one(url):
            return url.startswith("http")

        def only_looked_at(url):
            if not _looks_like_one(url):
                raise HTTPException(400)
            fetched(url)  # left: host, rest
    """,
    "pages": """
        import html

        def written(name):
            shown(f"<p>{name}</p>")  # left: html

        def escaped(name):
            shown(f"<p>{html.escape(name)}</p>")  # left: nothing

        def replaced(name):
            shown("<script>" + name.replace("<", "&lt;"))  # left: nothing

        def quoted(name):
            shown(f"<a href='/{quote(name)}'>")  # left: nothing

        def of_letters(name):
            if not name.isalnum():
                raise HTTPException(400)
            shown(f"<p>{name}</p>")  # left: nothing
    """,
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_of_an_address(case):
    assert left(CASES[case]) == expected(CASES[case])
