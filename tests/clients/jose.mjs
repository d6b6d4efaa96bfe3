// jose: the key set of the running keydeck, and each token with its own algorithm and no other.
import assert from 'node:assert/strict'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { fetched, house, refuses } from './house.mjs'

const { issuer, audience, apps } = await house()
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
for (const one of apps) {
  const token = await fetched(issuer, one, { scope: 'contacts.read' })
  const rules = { issuer, audience, typ: 'at+jwt', algorithms: [one.alg] }
  const { payload, protectedHeader } = await jwtVerify(token, keys, rules)
  assert.deepEqual([payload.sub, protectedHeader.alg], [one.id, one.alg])
  const another = apps.find((app) => app.alg !== one.alg).alg
  await refuses(() => jwtVerify(token, keys, { ...rules, algorithms: [another] }), 'ERR_JOSE_ALG_NOT_ALLOWED')
  await refuses(() => jwtVerify(token, keys, { ...rules, audience: 'x' }), 'ERR_JWT_CLAIM_VALIDATION_FAILED')
  const forged = token.slice(0, -8) + 'AAAAAAAA'
  await refuses(() => jwtVerify(forged, keys, rules), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
}
console.log('good')
