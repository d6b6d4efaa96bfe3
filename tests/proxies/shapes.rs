//! Traefik and Envoy, which are not run here: the requests they send, as their documentation and sources show them.

use keydeck::domain::Place;

use crate::http::{House, ask};

/// What each of the two must be told in both their ways of allowing and refusing.
const IDENTITY: usize = 9;

/// `ForwardAuth`: GET, no body, all headers of the client, the request told in `X-Forwarded-*`.
#[test]
fn traefik_forward_auth() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let forwarded = "User-Agent: curl/8.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 203.0.113.7\r\n\
                     X-Forwarded-Host: shop.example\r\nX-Forwarded-Method: DELETE\r\nX-Forwarded-Proto: https\r\n\
                     X-Forwarded-Port: 443\r\nX-Forwarded-Server: edge\r\nX-Forwarded-Uri: /contacts/7?x=y\r\n";
    let with = format!("{forwarded}Authorization: Bearer {token}\r\n");
    let allowed = house.ask("/verify?scope=contacts.read", &with);
    assert_eq!(allowed.status, 200);
    // authResponseHeadersRegex copies what is there.
    let names: Vec<_> = allowed.headers.iter().filter(|(name, _)| name.starts_with("keydeck-")).collect();
    assert_eq!(names.len(), IDENTITY, "{allowed:?}");
    // Anything but 2xx goes back to the client as it is, so it must say no more than it may.
    for (target, headers, status) in [
        ("/verify", forwarded.to_owned(), 401),
        ("/verify?scope=contacts.write", with.clone(), 403),
        ("/verify", format!("{with}X-API-Key: {token}\r\n"), 400),
    ] {
        let heard = house.ask(target, &headers);
        assert_eq!((heard.status, heard.body.as_str()), (status, ""));
        assert!(heard.one("www-authenticate").starts_with("Bearer realm="));
        assert!(!heard.headers.iter().any(|(name, _)| name.starts_with("keydeck")));
    }
}

/// `ext_authz` over HTTP: the client's own method, `path_prefix` with the client's path and query behind it, content-length
/// 0, and only the headers that are allowed through. 200 is the only yes.
#[test]
fn envoy_ext_authz() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let head = format!(
        "Content-Length: 0\r\nX-Envoy-Internal: true\r\nX-Forwarded-For: 203.0.113.7\r\nX-Envoy-Expected-Rq-Timeout-Ms: 250\r\n\
         Authorization: Bearer {token}\r\n"
    );
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in [
            "/verify/contacts/7?x=y",
            "/verify/",
            "/verify/contacts?filter=a%20b&sort=-name",
            "/verify/a%2Fb?q=%FF",
        ] {
            let heard =
                ask(house.address, method, path, &format!("{head}Keydeck-Require-Scope: contacts.read\r\n"));
            assert_eq!((heard.status, heard.body.as_str()), (200, ""), "{method} {path}");
            let heard =
                ask(house.address, method, path, &format!("{head}Keydeck-Require-Scope: contacts.write\r\n"));
            assert_eq!(heard.status, 403, "{method} {path}");
        }
    }
    // A caller's own query can only ask for more.
    let more = ask(house.address, "GET", "/verify/x?scope=contacts.write", &head);
    assert_eq!(more.status, 403);
    let head_only = ask(house.address, "HEAD", "/verify/x", &head);
    assert_eq!(head_only.status, 200);
}
