// oauth4webapi on both sides: a client that finds the server by the platform's name, and a resource server.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { house } from './house.mjs'

const { issuer, audience, apps, server } = await house()
const here = { [oauth.allowInsecureRequests]: true }
// The platform's own address leads to keydeck through a proxy, which is not here.
const byProxy = { [oauth.customFetch]: (url, init) => fetch(new URL(new URL(url).pathname, issuer), init) }
const resource = new URL(audience)
const found = await oauth.processResourceDiscoveryResponse(
  resource, await oauth.resourceDiscoveryRequest(resource, byProxy))
assert.deepEqual(found.authorization_servers, [issuer])
const base = new URL(found.authorization_servers[0])
for (const algorithm of ['oidc', 'oauth2']) {
  const as = await oauth.processDiscoveryResponse(base, await oauth.discoveryRequest(base, { algorithm, ...here }))
  for (const { id, secret, alg } of apps) {
    const [client, auth] = [{ client_id: id }, oauth.ClientSecretBasic(secret)]
    const granted = await oauth.processClientCredentialsResponse(as, client,
      await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'contacts.read', resource: audience }, here))
    const request = new Request(audience, { headers: { authorization: `Bearer ${granted.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, audience, { signingAlgorithms: [alg], ...here })
    assert.deepEqual([claims.sub, claims.scope], [id, 'contacts.read'])
    const ask = async () => {
      const [own, proof] = [{ client_id: server.id }, oauth.ClientSecretPost(server.secret)]
      return oauth.processIntrospectionResponse(as, own,
        await oauth.introspectionRequest(as, own, proof, granted.access_token, here))
    }
    assert.equal((await ask()).active, true)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, granted.access_token, here))
    assert.equal((await ask()).active, false)
  }
}
console.log('good')
