"""PyJWT and joserfc: the key set of the running keydeck, each token with its own algorithm and no other."""

import base64, json, sys, urllib.parse, urllib.request

import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

house = json.load(sys.stdin)
issuer, audience = house["issuer"], house["audience"]
algs = [app["alg"] for app in house["apps"]]


def fetched(app):
    request = urllib.request.Request(issuer + "/oauth/token", b"grant_type=client_credentials&scope=contacts.read")
    pair = base64.b64encode(f"{app['id']}:{app['secret']}".encode()).decode()
    request.add_header("Authorization", "Basic " + pair)
    return json.load(urllib.request.urlopen(request))["access_token"]


def refuses(check, *arguments):
    try:
        check(*arguments)
    except Exception:
        return
    raise AssertionError("it was taken")


set_url = issuer + "/.well-known/jwks.json"
remote = jwt.PyJWKClient(set_url)
local = KeySet.import_key_set(json.load(urllib.request.urlopen(set_url)))


def by_pyjwt(text, alg):
    key = remote.get_signing_key_from_jwt(text)
    return jwt.decode(text, key.key, algorithms=[alg], audience=audience, issuer=issuer)


def by_joserfc(text, alg):
    token = joserfc_jwt.decode(text, local, algorithms=[alg])
    rules = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}
    )
    rules.validate(token.claims)
    assert token.header["typ"] == "at+jwt"
    return token.claims


for app in house["apps"]:
    text, alg = fetched(app), app["alg"]
    other = next(known for known in algs if known != alg)
    for check in [by_pyjwt, by_joserfc]:
        assert check(text, alg)["sub"] == app["id"]
        refuses(check, text, other)
        refuses(check, text[:-8] + "A" * 8, alg)
print("good")
