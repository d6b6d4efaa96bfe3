"""A resource server as others write them: PyJWT, the key set of the running keydeck, and nothing of keydeck's own."""

import base64, json, sys, urllib.error, urllib.parse, urllib.request

import jwt

house, issuer, audience, app, secret = sys.stdin.read().split()


def post(path, **fields):
    request = urllib.request.Request(house + path, urllib.parse.urlencode(fields).encode())
    pair = urllib.parse.quote_plus(app) + ":" + urllib.parse.quote_plus(secret)
    request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
        return json.loads(body) if body else None


def check(token, keys=jwt.PyJWKClient(house + "/.well-known/jwks.json")):
    key = keys.get_signing_key_from_jwt(token)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    need = ["iss", "aud", "exp", "iat", "sub", "client_id", "jti", "scope"]
    return jwt.decode(
        token, key.key, algorithms=["EdDSA"], audience=audience, issuer=issuer, options={"require": need}
    )


granted = post("/oauth/token", grant_type="client_credentials", scope="contacts.read")
assert granted["token_type"] == "Bearer" and granted["scope"] == "contacts.read", granted
token = granted["access_token"]
claims = check(token)
assert claims["sub"] == claims["client_id"] == app and claims["scope"] == "contacts.read", claims
assert 0 < claims["exp"] - claims["iat"] <= granted["expires_in"], claims

header, payload, signature = token.split(".")
more = dict(claims, scope="contacts.read contacts.write")
forged = base64.urlsafe_b64encode(json.dumps(more).encode()).rstrip(b"=").decode()
for bad in [f"{header}.{forged}.{signature}", token[:-8] + ("A" * 8), f"{header}.{payload}."]:
    try:
        check(bad)
    except jwt.InvalidTokenError:
        continue
    raise AssertionError("a tampered token passed: " + bad)

said = post("/oauth/introspect", token=token)
assert said["active"] and all(said[name] == claims[name] for name in claims if name != "epoch"), said
post("/oauth/revoke", token=token)
assert post("/oauth/introspect", token=token) == {"active": False}
try:
    secret = secret[:-1] + ("y" if secret.endswith("x") else "x")
    post("/oauth/token", grant_type="client_credentials")
except urllib.error.HTTPError as error:
    assert error.code == 401 and json.load(error)["error"] == "invalid_client"
else:
    raise AssertionError("a wrong secret was taken")
print("good")
