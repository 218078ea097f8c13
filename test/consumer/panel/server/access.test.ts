import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveProtocol, tokenProtocol } from '../../../../consumer/panel/protocol.ts'
import { chooseProtocol, hasToken, hostRefusal, originRefusal } from '../../../../consumer/panel/server/access.ts'

const token = 'a-token-of-16-characters-or-more'

test('without a token only localhost and loopback addresses are accepted', () => {
  for (const host of ['localhost:9465', '127.0.0.1:9465', '127.3.2.1', '[::1]:9465', 'localhost']) {
    assert.equal(hostRefusal({ host }, undefined), undefined, host)
  }
  for (const host of ['evil.example:9465', '10.0.0.1:9465', 'localhost.evil.example', '[2001:db8::1]:9465', '', ' ']) {
    assert.match(hostRefusal({ host }, undefined) ?? '', /panel\.token/, host)
  }
  assert.match(hostRefusal({}, undefined) ?? '', /not ""/)
})

test('with a token every host name is accepted', () => {
  assert.equal(hostRefusal({ host: 'panel.example' }, token), undefined)
})

test('a WebSocket is accepted from a page of the same origin and from clients that are not browsers', () => {
  assert.equal(originRefusal({ host: 'localhost:9465' }), undefined)
  assert.equal(originRefusal({ host: 'localhost:9465', origin: 'http://localhost:9465' }), undefined)
  assert.equal(originRefusal({ host: 'panel.example', origin: 'https://panel.example' }), undefined)
  for (const origin of ['http://evil.example', 'http://localhost:9466', 'http://127.0.0.1:9465', 'null', '']) {
    assert.match(originRefusal({ host: 'localhost:9465', origin }) ?? '', /may not read/, origin)
  }
})

test('the token is accepted as a bearer token and as a subprotocol', () => {
  assert.equal(hasToken({}, undefined), true)
  assert.equal(hasToken({ authorization: `Bearer ${token}` }, token), true)
  assert.equal(hasToken({ 'sec-websocket-protocol': `${liveProtocol}, ${tokenProtocol(token)}` }, token), true)
  for (const headers of [
    {},
    { authorization: `Bearer ${token}x` },
    { authorization: token },
    { 'sec-websocket-protocol': liveProtocol },
    { 'sec-websocket-protocol': `${liveProtocol}, ${tokenProtocol('another-long-token')}` },
    { 'sec-websocket-protocol': token }
  ]) {
    assert.equal(hasToken(headers, token), false, JSON.stringify(headers))
  }
})

test('the response never repeats the token as the chosen subprotocol', () => {
  assert.equal(chooseProtocol(new Set([tokenProtocol(token), liveProtocol])), liveProtocol)
  assert.equal(chooseProtocol(new Set([tokenProtocol(token)])), false)
})
