// openid-client as its readme has it: discovery by both names, a token, asked about, ended.
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { house, refuses } from './house.mjs'

const { issuer, audience, apps, server } = await house()
for (const { id, secret } of apps) {
  for (const algorithm of ['oidc', 'oauth2']) {
    const options = { algorithm, execute: [client.allowInsecureRequests] }
    for (const how of [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]) {
      const config = await client.discovery(new URL(issuer), id, undefined, how, options)
      const token = await client.clientCredentialsGrant(config, { scope: 'contacts.read', resource: audience })
      assert.equal(token.scope, 'contacts.read')
      const asking = await client.discovery(
        new URL(issuer), server.id, undefined, client.ClientSecretBasic(server.secret), options)
      const told = await client.tokenIntrospection(asking, token.access_token)
      assert.deepEqual([told.active, told.client_id, told.aud], [true, id, audience])
      await client.tokenRevocation(config, token.access_token)
      assert.equal((await client.tokenIntrospection(asking, token.access_token)).active, false)
      await refuses(() => client.clientCredentialsGrant(config, { resource: 'https://evil.example' }), 'invalid_target')
    }
  }
}
console.log('good')
