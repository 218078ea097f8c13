import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import type { MetricFamily } from '../../runtime/metric-family.ts'
import { listenForMetrics } from '../../runtime/metrics-listener.ts'
import { openHalf } from '../support/half-requests.ts'
import { eventually } from '../support/ringside.ts'

const log = pino({ level: 'silent' })

const listening = async (t: TestContext, token?: string) => {
  const listener = await listenForMetrics({ listen: '0', token, service: 'edge', log })
  t.after(() => listener.close())
  return listener
}

const scrape = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

const plain = 'text/plain; charset=utf-8'

test('a scrape reads the families at that time, with those of process and build', async (t) => {
  const { url, serve } = await listening(t)
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  let reads = 0
  const events: MetricFamily = {
    name: 'ringside_edge_events_total',
    kind: 'counter',
    help: 'Events.',
    labels: ['class'],
    samples: () => {
      reads++
      return [
        { labels: { class: 'network' }, value: 5 * reads },
        { labels: { class: 'io' }, value: 0 }
      ]
    }
  }
  const level: MetricFamily = {
    name: 'ringside_edge_spool_bytes',
    kind: 'gauge',
    help: 'Bytes.',
    labels: [],
    samples: () => [{ labels: {}, value: 7 - reads }]
  }
  serve({ metrics: [events, level], problems: () => [] })
  assert.equal(reads, 0)
  const first = await scrape(url)
  assert.equal(first.status, 200)
  assert.match(first.type ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(first.text, /^# TYPE ringside_edge_events_total counter$/m)
  assert.match(first.text, /^ringside_edge_events_total\{class="network",service="edge"\} 5$/m)
  assert.match(first.text, /^ringside_edge_events_total\{class="io",service="edge"\} 0$/m)
  assert.match(first.text, /^ringside_build_info\{version="\d+\.\d+\.\d+",node="24\.[^"]+",service="edge"\} 1$/m)
  assert.match(first.text, /^process_cpu_seconds_total\{service="edge"\} /m)
  const second = await scrape(url)
  assert.match(second.text, /^ringside_edge_events_total\{class="network",service="edge"\} 10$/m)
  assert.match(second.text, /^ringside_edge_spool_bytes\{service="edge"\} 5$/m)
})

test('a client that prefers OpenMetrics gets it', async (t) => {
  const { url } = await listening(t)
  const { type, text } = await scrape(url, { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' })
  assert.equal(type, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  assert.match(text, /^# TYPE process_cpu_seconds counter$/m)
  assert.ok(text.endsWith('\n# EOF\n'))
})

test('with a token, requests without it get 401', async (t) => {
  const { url } = await listening(t, 'a-token-of-some-length')
  assert.equal((await scrape(url)).status, 401)
  assert.equal((await scrape(url, { authorization: 'Bearer wrong' })).status, 401)
  assert.equal((await scrape(url, { authorization: 'Bearer a-token-of-some-length' })).status, 200)
})

test('other paths get 404, and a family that fails gets 500 with its error', async (t) => {
  const { url, serve } = await listening(t)
  assert.equal((await scrape(url.replace('/metrics', '/'))).status, 404)
  const samples = (): never => {
    throw new Error('no counters')
  }
  serve({ metrics: [{ name: 'ringside_x', kind: 'gauge', help: 'X.', labels: [], samples }], problems: () => [] })
  const { status, text } = await scrape(url)
  assert.equal(status, 500)
  assert.match(text, /no counters/)
})

test('400 clients with half a header keep no scraper out', async (t) => {
  const { url } = await listening(t)
  const sockets = await openHalf(t, url, 400)
  assert.equal((await scrape(url)).status, 200)
  await eventually('the end of most', 30, () => sockets.filter(({ closed }) => !closed).length < 32 || undefined)
})

test('/healthz answers, and /readyz says why the service is not ready, from before its start on', async (t) => {
  const { url, serve } = await listening(t)
  const ready = url.replace('metrics', 'readyz')
  assert.deepEqual(await scrape(url.replace('metrics', 'healthz')), { status: 200, type: plain, text: 'ok\n' })
  assert.deepEqual(await scrape(ready), { status: 503, type: plain, text: 'not ready\nthe service is starting\n' })
  let problems = ['no progress', 'no member']
  serve({ problems: () => problems })
  assert.deepEqual(await scrape(ready), { status: 503, type: plain, text: 'not ready\nno progress\nno member\n' })
  problems = []
  assert.deepEqual(await scrape(`${ready}?verbose`), { status: 200, type: plain, text: 'ok\n' })
})

test('with a token, probes need none, and the reasons do', async (t) => {
  const { url, serve } = await listening(t, 'a-token-of-some-length')
  serve({ problems: () => ['no progress'] })
  const ready = url.replace('metrics', 'readyz')
  assert.equal((await scrape(url.replace('metrics', 'healthz'))).status, 200)
  const { status, text } = await scrape(ready)
  assert.equal(status, 503)
  assert.doesNotMatch(text, /no progress/)
  assert.match((await scrape(ready, { authorization: 'Bearer a-token-of-some-length' })).text, /no progress/)
})

test('an address in use is refused with the setting to change', async (t) => {
  const { url } = await listening(t)
  const listen = new URL(url).host
  await assert.rejects(listenForMetrics({ listen, service: 'edge', log }), {
    code: 'CONFIG',
    message: /cannot listen on 127\.0\.0\.1:\d+ for metrics: .*EADDRINUSE.*; choose another metrics\.listen/
  })
})
