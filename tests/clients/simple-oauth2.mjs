// simple-oauth2: a token by header and by body, and its end.
import assert from 'node:assert/strict'
import { ClientCredentials } from 'simple-oauth2'
import { house, refuses } from './house.mjs'

const { issuer, audience, apps } = await house()
for (const { id, secret } of apps) {
  for (const authorizationMethod of ['header', 'body']) {
    const config = {
      client: { id, secret },
      auth: { tokenHost: issuer, tokenPath: '/oauth/token', revokePath: '/oauth/revoke' },
      options: { authorizationMethod },
    }
    const client = new ClientCredentials(config)
    const token = await client.getToken({ scope: 'contacts.read', resource: audience })
    assert.equal(token.token.scope, 'contacts.read')
    assert.equal(token.expired(), false)
    await token.revoke('access_token')
    await refuses(() => client.getToken({ scope: 'contacts.delete' }), 'invalid_scope')
  }
}
console.log('good')
