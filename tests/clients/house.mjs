// What the test tells: where keydeck is, whom tokens are for, and the apps it made, one for each algorithm.
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'

export const house = async () => JSON.parse(await text(process.stdin))

export async function refuses(what, error) {
  await assert.rejects(what, (thrown) => {
    assert.ok([thrown.error, thrown.code, thrown.data?.payload?.error].includes(error), `${thrown.stack}`)
    return true
  })
}

// A token, for clients that only check some.
export async function fetched(issuer, { id, secret }, more) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...more })
  const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` }
  const answer = await fetch(`${issuer}/oauth/token`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()).access_token
}
