"""vt-py, unmodified, against the simulator: what it can do with VirusTotal it
can do with the stand-in.

    acceptance.py URL KEY

The simulator has a generous window, 50 requests a day, analyses of 30 s and
knows http://known.example.com/.
"""

import json
import sys
import urllib.request

import vt

URL, KEY = sys.argv[1], sys.argv[2]


def advance(seconds):
    body = json.dumps({"seconds": seconds}).encode()
    request = urllib.request.Request(f"{URL}/__sim/advance", data=body, method="POST")
    urllib.request.urlopen(request).read()


def refused(code, call, *args):
    try:
        call(*args)
    except vt.APIError as error:
        assert error.code == code, f"{error.code} instead of {code}"
        return
    raise AssertionError(f"no {code}")


def objects(client):
    url = client.get_object("/urls/{}", vt.url_id("http://known.example.com/"))
    assert url.type == "url"
    assert url.url == "http://known.example.com/"
    assert url.last_analysis_stats["malicious"] == 7
    assert url.last_analysis_date.year == 2022
    assert len(url.last_analysis_results) == sum(url.last_analysis_stats.values())
    assert client.get_object("/domains/www.example.com").reputation == 0
    assert client.get_object("/domains/xn--bcher-kva.example.com").id.startswith("xn--")
    assert client.get_object("/ip_addresses/1.1.1.1").as_owner
    assert client.get_object("/ip_addresses/2606:4700:4700::1111").type == "ip_address"


def errors(client):
    refused("NotFoundError", client.get_object, "/urls/thisurlidmakesnosenseatall")
    refused("NotFoundError", client.get_object, "/nothing/here")
    refused("InvalidArgumentError", client.get_object, "/domains/nothing")
    refused("InvalidArgumentError", client.scan_url, "ftp://example.com/")
    refused("ForbiddenError", client.get_object, "/users/other/overall_quotas")
    with vt.Client("wrong", host=URL) as stranger:
        refused("WrongCredentialsError", stranger.get_object, "/domains/example.com")


def scan(client):
    analysis = client.scan_url("http://evil.example.com/a?b=c d")
    assert analysis.id.startswith("u-")
    first = client.get_object("/analyses/{}", analysis.id)
    assert first.status == "queued"
    assert sum(first.stats.values()) == 0
    advance(25)
    middle = client.get_object("/analyses/{}", analysis.id)
    assert middle.status == "in-progress"
    assert middle.stats["malicious"] == 0, "partial results err towards good"
    advance(10)
    last = client.get_object("/analyses/{}", analysis.id)
    assert last.status == "completed"
    assert last.stats["malicious"] == 7
    whole = client.get_json("/analyses/{}", analysis.id)
    assert whole["meta"]["url_info"]["url"] == "http://evil.example.com/a?b=c d"
    item = client.get_object("/analyses/{}/item", analysis.id)
    assert item.type == "url"


def slashes():
    with vt.Client(KEY, host=URL + "/") as client:
        assert client.get_object("/domains/www.example.com").type == "domain"


def quota(client):
    free = client.get_json("/users/demo/overall_quotas")["data"]["api_requests_daily"]["user"]
    assert free["allowed"] == 50
    for _ in range(free["allowed"] - free["used"]):
        client.get_object("/domains/www.example.com")
    refused("QuotaExceededError", client.get_object, "/domains/www.example.com")
    client.get_json("/users/demo/overall_quotas")
    advance(86_400)
    assert client.get_object("/domains/www.example.com").type == "domain"


with vt.Client(KEY, host=URL) as client:
    for check in (objects, errors, scan):
        check(client)
        print("ok", check.__name__)
    slashes()
    print("ok slashes")
    quota(client)
    print("ok quota")
