"""Authlib on both sides: a client that fetches, asks and ends, and its validator of RFC 9068 with the key set."""

import json, sys, urllib.request

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750 import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import KeySet

house = json.load(sys.stdin)
issuer, audience = house["issuer"], house["audience"]


def at(path):
    return json.load(urllib.request.urlopen(issuer + path))


server = at("/.well-known/oauth-authorization-server")


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return KeySet.import_key_set(at("/.well-known/jwks.json"))


def check(text, audience=audience):
    validator = Validator(issuer=issuer, resource_server=audience)
    token = validator.authenticate_token(text)
    validator.validate_token(token, ["contacts.read"], None)
    return token


for app in house["apps"]:
    for method in ["client_secret_basic", "client_secret_post"]:
        client = OAuth2Session(app["id"], app["secret"], token_endpoint_auth_method=method)
        got = client.fetch_token(server["token_endpoint"], grant_type="client_credentials", resource=audience)
        text = got["access_token"]
        # Its validator takes RS256 and ES256 and no Ed25519: that is what ES256 is for.
        if app["alg"] == "ES256":
            assert check(text)["client_id"] == app["id"]
            for bad in [text[:-8] + "A" * 8]:
                try:
                    check(bad)
                except Exception:
                    continue
                raise AssertionError("a tampered token passed")
        asking = OAuth2Session(house["server"]["id"], house["server"]["secret"])
        ask = lambda: asking.introspect_token(server["introspection_endpoint"], token=text).json()
        assert ask()["active"] is True, ask()
        assert client.revoke_token(server["revocation_endpoint"], token=text).status_code == 200
        assert ask() == {"active": False}
print("good")
