// express-oauth2-jwt-bearer in front of express: it finds the keys by the issuer alone, and holds tokens to RFC 9068.
import assert from 'node:assert/strict'
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { fetched, house } from './house.mjs'

const { issuer, audience, apps } = await house()
const app = express()
app.use(auth({ issuerBaseURL: issuer, audience, strict: true }))
app.get('/read', requiredScopes('contacts.read'), (request, answer) => answer.json(request.auth.payload))
app.get('/write', requiredScopes('contacts.write'), (_, answer) => answer.json({}))
const listening = app.listen(0, '127.0.0.1')
await new Promise((done) => listening.once('listening', done))
const get = (path, token) => fetch(`http://127.0.0.1:${listening.address().port}${path}`, {
  headers: token ? { authorization: `Bearer ${token}` } : {},
})
for (const one of apps) {
  const token = await fetched(issuer, one, { scope: 'contacts.read', resource: audience })
  const answer = await get('/read', token)
  assert.equal(answer.status, 200, await answer.clone().text())
  assert.equal((await answer.json()).client_id, one.id)
  assert.equal((await get('/write', token)).status, 403)
  assert.equal((await get('/read', token.slice(0, -8) + 'AAAAAAAA')).status, 401)
  const other = await fetched(issuer, one, { resource: 'https://files.example.com' })
  assert.equal((await get('/read', other)).status, 401, 'a token for somebody else')
}
assert.equal((await get('/read')).status, 401)
listening.close()
console.log('good')
process.exit(0)
