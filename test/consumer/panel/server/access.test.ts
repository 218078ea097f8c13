import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveProtocol, tokenProtocol } from '../../../../consumer/panel/protocol.ts'
import { chooseProtocol, foreignOf, hasToken, strangerOf } from '../../../../consumer/panel/server/access.ts'

const token = 'a-token-of-some-length'

test('without a token only the names of this machine are answered to', () => {
  for (const host of ['localhost:9465', '127.0.0.1:9465', '127.3.2.1', '[::1]:9465', 'localhost']) {
    assert.equal(strangerOf({ host }, undefined), undefined, host)
  }
  for (const host of ['evil.example:9465', '10.0.0.1:9465', 'localhost.evil.example', '[2001:db8::1]:9465', '', ' ']) {
    assert.match(strangerOf({ host }, undefined) ?? '', /panel\.token/, host)
  }
  assert.match(strangerOf({}, undefined) ?? '', /no name/)
})

test('with a token every name is answered to', () => {
  assert.equal(strangerOf({ host: 'panel.example' }, token), undefined)
})

test('a socket is for pages of the same origin, and for what is no browser', () => {
  assert.equal(foreignOf({ host: 'localhost:9465' }), undefined)
  assert.equal(foreignOf({ host: 'localhost:9465', origin: 'http://localhost:9465' }), undefined)
  assert.equal(foreignOf({ host: 'panel.example', origin: 'https://panel.example' }), undefined)
  for (const origin of ['http://evil.example', 'http://localhost:9466', 'http://127.0.0.1:9465', 'null', '']) {
    assert.match(foreignOf({ host: 'localhost:9465', origin }) ?? '', /may not read/, origin)
  }
})

test('the token comes as a bearer or as a subprotocol', () => {
  assert.equal(hasToken({}, undefined), true)
  assert.equal(hasToken({ authorization: `Bearer ${token}` }, token), true)
  assert.equal(hasToken({ 'sec-websocket-protocol': `${liveProtocol}, ${tokenProtocol(token)}` }, token), true)
  for (const headers of [
    {},
    { authorization: `Bearer ${token}x` },
    { authorization: token },
    { 'sec-websocket-protocol': liveProtocol },
    { 'sec-websocket-protocol': `${liveProtocol}, ${tokenProtocol('another-token-of-it')}` },
    { 'sec-websocket-protocol': token }
  ]) {
    assert.equal(hasToken(headers, token), false, JSON.stringify(headers))
  }
})

test('the protocol that is agreed on never tells the token back', () => {
  assert.equal(chooseProtocol(new Set([tokenProtocol(token), liveProtocol])), liveProtocol)
  assert.equal(chooseProtocol(new Set([tokenProtocol(token)])), false)
})
