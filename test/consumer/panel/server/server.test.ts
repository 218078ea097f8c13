// The panel's server, reached by browsers and by other clients.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type AuditQuery, paths } from '../../../../consumer/panel/protocol.ts'
import { LivePages } from '../../../../consumer/panel/server/live-pages.ts'
import { type ServerOptions, startServer } from '../../../../consumer/panel/server/server.ts'
import { Store } from '../../../../consumer/panel/state/store.ts'
import { RingsideError } from '../../../../runtime/errors.ts'
import { openHalf } from '../../../support/half-requests.ts'
import { testLog } from '../../../support/log.ts'
import { eventually, temporaryDirectory } from '../../../support/ringside.ts'
import { Page, refusal } from '../support/page.ts'
import { row } from '../support/rows.ts'

const token = 'a-token-of-16-characters-or-more'

const start = async (t: TestContext, options: Partial<ServerOptions> & { maxBufferedBytes?: number } = {}) => {
  const { maxBufferedBytes = 1 << 20, ...more } = options
  const store = new Store({ windowsMs: [1000] })
  const pages = new LivePages({ store, version: '1.2.3', log: testLog, maxBufferedBytes })
  t.after(() => pages.close())
  const pageDir = join(temporaryDirectory(t, 'page'), 'panel')
  mkdirSync(join(pageDir, 'assets'), { recursive: true })
  writeFileSync(join(pageDir, 'index.html'), '<!doctype html><title>panel</title>')
  writeFileSync(join(pageDir, 'assets', 'index-1.js'), 'export {}')
  const server = await startServer({
    listen: '0',
    token: undefined,
    version: '1.2.3',
    pages,
    problems: () => [],
    searchAudit: async () => ({ rows: [], scanned: 0, stopped: null }),
    pageDir,
    log: testLog,
    ...more
  })
  t.after(() => server.close())
  const get = (path: string, headers: Record<string, string> = {}) => fetch(new URL(path, server.url), { headers })
  return { store, pages, url: server.url, get }
}

/** The status of a request with another Host header: fetch cannot set it. */
const statusFor = async (url: string, host: string): Promise<number | undefined> => {
  const [response] = (await once(request(url, { headers: { host } }).end(), 'response')) as [
    { statusCode?: number; resume(): void }
  ]
  response.resume()
  return response.statusCode
}

test('the page and its files have security headers; other paths are not served', async (t) => {
  const { get } = await start(t)
  const page = await get('/')
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<title>panel/)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(page.headers.get('x-frame-options'), 'DENY')
  assert.equal(page.headers.get('access-control-allow-origin'), null)
  assert.match((await get('/assets/index-1.js')).headers.get('content-type') ?? '', /javascript/)
  for (const path of ['/nope', '/..%2f..%2fpackage.json', '/api/nope']) {
    const missing = await get(path)
    assert.ok([403, 404].includes(missing.status), path)
    assert.equal(missing.headers.get('x-content-type-options'), 'nosniff')
  }
})

test('an unbuilt page is answered with the command that builds it', async (t) => {
  const { get } = await start(t, { pageDir: '/nonexistent' })
  const answer = await get('/')
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /npm run build/)
  assert.equal((await get(paths.session)).status, 200)
})

test('with a token, HTTP and the WebSocket require it', async (t) => {
  const { get, url } = await start(t, { token })
  const audit = `${paths.audit}?fromMs=0&toMs=1`
  assert.equal((await get('/')).status, 200)
  for (const path of [audit, audit.replace('api', '%61pi'), paths.live, paths.live.replace('live', 'l%69ve')]) {
    const refused = await get(path)
    assert.equal(refused.status, 401, path)
    assert.match(await refused.text(), /panel\.token/)
  }
  assert.equal((await get(audit, { authorization: 'Bearer wrong' })).status, 401)
  assert.equal((await get(audit, { authorization: `Bearer ${token}` })).status, 200)
  assert.deepEqual(await (await get(paths.session)).json(), { version: '1.2.3', refused: true })
  const known = await get(paths.session, { authorization: `Bearer ${token}` })
  assert.deepEqual(await known.json(), { version: '1.2.3', refused: false })

  assert.equal(await refusal(url, {}), 401)
  assert.equal(await refusal(url, { path: '/' }), 401)
  assert.equal(await refusal(url, { path: '/%61pi/live' }), 401)
  assert.equal(await refusal(url, { token: 'another-long-token' }), 401)
  const page = await Page.open(url, { token })
  assert.equal(page.socket.protocol, 'ringside.1')
  assert.equal((await page.message('hello')).version, '1.2.3')
  await page.close()
  const program = await Page.open(url, { headers: { authorization: `Bearer ${token}` } })
  await program.close()
})

test('a page of another origin cannot open a WebSocket', async (t) => {
  const { url } = await start(t)
  assert.equal(await refusal(url, { headers: { origin: 'http://evil.example' } }), 403)
  assert.equal(await refusal(url, { headers: { origin: 'null' } }), 403)
  const page = await Page.open(url, { headers: { origin: new URL(url).origin } })
  await page.close()
})

test('a foreign name that resolves to this machine is refused', async (t) => {
  const { url } = await start(t)
  assert.equal(await statusFor(url, 'evil.example'), 403)
  assert.equal(await statusFor(new URL(paths.session, url).href, 'evil.example:9465'), 403)
  assert.equal(await statusFor(url, 'localhost:1'), 200)
  assert.equal(await refusal(url, { headers: { host: 'evil.example', origin: 'http://evil.example' } }), 403)
})

test('an audit query reaches the search unchanged; at most two searches run at once', async (t) => {
  const queries: AuditQuery[] = []
  const waiting = Promise.withResolvers<void>()
  const { get } = await start(t, {
    searchAudit: async (query) => {
      queries.push(query)
      await waiting.promise
      return { rows: [], scanned: 3, stopped: null }
    }
  })
  const path = `${paths.audit}?fromMs=5&toMs=7&host=&pid=12&failed=true`
  const [first, second] = [get(path), get(path)]
  await eventually('two searches', 30, () => (queries.length === 2 ? true : undefined))
  assert.deepEqual(JSON.parse(JSON.stringify(queries[0])), { fromMs: 5, toMs: 7, pid: 12, failed: true })
  assert.equal((await get(path)).status, 503)
  waiting.resolve()
  assert.deepEqual(await (await first).json(), { rows: [], scanned: 3, stopped: null })
  await second
  for (const wrong of ['', '?fromMs=1', '?fromMs=1&toMs=x', '?fromMs=1&toMs=2&pid=-x', '?fromMs=1&toMs=2&nope=1']) {
    assert.equal((await get(`${paths.audit}${wrong}`)).status, 400, wrong)
  }
})

test('a failed search returns the reason; a search ends when its client disconnects', async (t) => {
  const [started, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { url, get } = await start(t, {
    searchAudit: async ({ pid }, signal) => {
      if (pid === 1) throw new RingsideError('UNAVAILABLE', 'Kafka does not answer')
      signal.addEventListener('abort', () => ended.resolve())
      started.resolve()
      await ended.promise
      return { rows: [], scanned: 0, stopped: null }
    }
  })
  const failed = await get(`${paths.audit}?fromMs=0&toMs=1&pid=1`)
  assert.deepEqual([failed.status, await failed.text()], [503, 'Kafka does not answer\n'])
  const leaving = new AbortController()
  const asking = fetch(new URL(`${paths.audit}?fromMs=0&toMs=1`, url), { signal: leaving.signal })
  await started.promise
  leaving.abort()
  await assert.rejects(asking)
  await ended.promise
})

test('400 clients with half a header keep nobody from the page', async (t) => {
  const { url, get } = await start(t)
  await openHalf(t, url, 400)
  assert.equal((await get('/')).status, 200)
  const page = await Page.open(url)
  page.watch({ fromMs: 0 })
  await page.message('points')
  await openHalf(t, url, 400)
  assert.equal(page.socket.readyState, page.socket.OPEN)
  await page.close()
})

test('an address in use is an error that names the setting to change', async (t) => {
  const { url } = await start(t)
  await assert.rejects(start(t, { listen: new URL(url).port }), (error) => {
    assert.ok(error instanceof RingsideError)
    assert.equal(error.code, 'CONFIG')
    assert.match(error.message, /EADDRINUSE.*panel\.listen/)
    return true
  })
})

test('/healthz and /readyz answer without a token; the reasons of /readyz take one', async (t) => {
  let problems = ['Kafka does not respond']
  const { get } = await start(t, { token, problems: () => problems })
  assert.deepEqual([(await get('healthz')).status, (await get('readyz')).status], [200, 503])
  assert.doesNotMatch(await (await get('readyz')).text(), /Kafka/)
  const allowed = await get('readyz', { authorization: `Bearer ${token}` })
  assert.match(await allowed.text(), /not ready\nKafka does not respond/)
  problems = []
  assert.equal((await get('readyz')).status, 200)
})

test('a browser that does not read delays no other, has bounded memory, and gets the newest state once it reads', async (t) => {
  const maxBufferedBytes = 64 << 10
  const { url, store, pages } = await start(t, { maxBufferedBytes })
  const [slow, fast] = [await Page.open(url), await Page.open(url)]
  for (const page of [slow, fast]) page.watch({ fromMs: 0 })
  await Promise.all([slow.message('points'), fast.message('points')])
  const lastRevision = async (): Promise<number> => {
    slow.socket.pause()
    // An update of several hundred kilobytes fills the kernel's socket buffers within seconds.
    for (let revision = 1; ; revision++) {
      for (let second = 0; second < 1000; second++) {
        store.addRollup(row(second, { revision, count: revision, syscall: 'read' }))
      }
      await eventually('the fast page', 60, () => (fast.points.get(999_000)?.count === revision ? true : undefined))
      if (pages.skipped > 5) return revision
    }
  }
  const revision = await lastRevision()
  assert.notEqual(slow.points.get(999_000)?.count, revision)
  slow.socket.resume()
  await eventually('the slow page', 60, () => (slow.points.get(999_000)?.count === revision ? true : undefined))
  assert.deepEqual(slow.points, fast.points)
  await Promise.all([slow.close(), fast.close()])
})
