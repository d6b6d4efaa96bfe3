"""requests-oauthlib: a backend application fetches a token, by header and by body."""

import json, os, sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
from oauthlib.oauth2 import BackendApplicationClient, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

house = json.load(sys.stdin)
for app in house["apps"]:
    for how in [{"auth": HTTPBasicAuth(app["id"], app["secret"])}, {"include_client_id": True, "client_secret": app["secret"]}]:
        session = OAuth2Session(client=BackendApplicationClient(client_id=app["id"], scope=["contacts.read"]))
        got = session.fetch_token(house["issuer"] + "/oauth/token", **how)
        assert got["token_type"] == "Bearer" and got["scope"] == ["contacts.read"], got
        asked = session.post(
            house["issuer"] + "/oauth/introspect",
            data={"token": got["access_token"]},
            auth=HTTPBasicAuth(app["id"], app["secret"]),
            withhold_token=True,
        )
        assert asked.json()["active"] is True, asked.text
        more = OAuth2Session(client=BackendApplicationClient(client_id=app["id"], scope=["contacts.delete"]))
        try:
            more.fetch_token(house["issuer"] + "/oauth/token", **how)
        except InvalidScopeError:
            continue
        raise AssertionError("a scope the app lacks was given")
print("good")
