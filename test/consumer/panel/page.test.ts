// The panel's page in a browser, with a real Kafka, the real service, and rows in the topics like those of a workload.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { type Panel, startPanel } from '../../../consumer/panel/panel.ts'
import * as format from '../../../consumer/panel/web/format.ts'
import { formatCount } from '../../../runtime/format-number.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import { printableLines } from '../../../runtime/printable.ts'
import type { Producer } from '../../../wire/client.ts'
import { decode, encode, type Records, type SchemaName } from '../../../wire/codec.ts'
import { Sketch } from '../../../wire/sketch.ts'
import { topicName, topicSpecifications } from '../../../wire/topics.ts'
import type { HostStatus, Rollup } from '../../../wire/types.ts'
import { browserMissing, readOut, withBrowser } from '../../support/browser.ts'
import { freePort } from '../../support/free-port.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../../support/kafka.ts'
import { testLog } from '../../support/log.ts'
import { samples } from '../../support/records.ts'
import { eventually } from '../../support/ringside.ts'

const skip = browserMissing() || (await kafkaMissing())
const token = 'a-token-that-is-right'

/** Latencies between 1 and 60 µs that depend on the seed. */
const latencyOf = (count: number, seed: number) => [
  { index: 320 + (seed % 40), count: count - 3 },
  { index: 460 + (seed % 60), count: 3 }
]

/** One second of the calls of two hosts; `busiest` is the index of the host with the most calls. */
const rowsOf = (startMs: number, busiest: number): Rollup[] => {
  const seed = Math.floor(startMs / 1000)
  return ['web-1', 'web-2'].flatMap((host, hostIndex) =>
    ['read', 'connect'].map((syscall, index) => {
      const count = (hostIndex === busiest ? 20_000 : 1000) + (seed % 500) + index
      return {
        ...samples.Rollup,
        host,
        workload: `/usr/bin/program-${hostIndex}`,
        pid: 0,
        start_us: 0,
        syscall,
        window_start: startMs * 1000,
        count,
        ...{ failed: index * 7, expected: index * 5, interrupted: 0 },
        latency: latencyOf(count, seed + index),
        errnos:
          index === 0
            ? []
            : [
                { errno: 'ECONNREFUSED', count: 7 },
                { errno: 'EINPROGRESS', count: 5 }
              ]
      }
    })
  )
}

describe("the panel's page in a browser", { skip, timeout: 400_000 }, () => {
  const kafka = withKafka()
  const browser = withBrowser()
  const config = loadConfig({ topicPrefix: `${uniqueName('page')}.` })
  let producer: Producer
  let panel: Panel
  let port = 0

  const start = async (more: { token?: string; port?: number } = {}): Promise<Panel> =>
    startPanel({
      config: {
        ...config,
        brokers: [...kafka.brokers],
        panel: { listen: String(more.port ?? 0), token: more.token }
      },
      log: testLog
    })

  const send = (topic: 'rollups' | 'hosts' | 'alerts' | 'audit', name: SchemaName, records: Records[SchemaName][]) =>
    producer.send(
      topicName(config, topic),
      records.map((record) => ({ key: 'k', value: encode(name, record as never) }))
    )

  /** Publishes rows and statuses of every second up to now: at first of the last minute, then of the time since. */
  let publishedMs = Math.floor(Date.now() / 1000) * 1000 - 60_000
  const work = async (busiest = 1): Promise<void> => {
    const rows: Rollup[] = []
    const statuses: HostStatus[] = []
    for (const untilMs = Date.now() - 1000; publishedMs <= untilMs; publishedMs += 1000) {
      const status = { ...samples.HostStatus, window_start: publishedMs * 1000, watermark: (publishedMs + 1000) * 1000 }
      rows.push(...rowsOf(publishedMs, busiest))
      statuses.push({ ...status, drops: [] }, { ...status, host: 'web-2' })
    }
    if (rows.length === 0) return
    await send('rollups', 'Rollup', rows)
    await send('hosts', 'HostStatus', statuses)
  }

  /** The rows of a second in the topic. */
  const inTopic = async (startMs: number): Promise<Rollup[]> => {
    const rows = (await readAll(kafka.client, topicName(config, 'rollups'))).map(({ value }) => decode('Rollup', value))
    return rows.filter((row) => row.window_ms === 1000 && row.window_start === startMs * 1000)
  }

  const textOf = async (locator: Locator): Promise<string> => (await locator.textContent()) ?? ''
  const number = (text: string): number => Number(text.replaceAll(',', ''))
  const shownCalls = async (page: Page): Promise<number> =>
    number(await textOf(page.getByTestId('sums').locator('b').first()))
  const fitsWidth = (page: Page): Promise<boolean> =>
    page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)

  before(async () => {
    await kafka.client.ensureTopics(topicSpecifications(config))
    producer = await kafka.client.producer()
    port = await freePort()
    panel = await start({ port })
  })
  after(async () => {
    await panel?.stop()
    await producer?.close()
  })
  afterEach(() => {
    assert.deepEqual(browser.complaints.splice(0), [])
  })

  test('without data the page names the services to start', async () => {
    const page = await browser.open(panel.url)
    await page.getByTestId('empty').getByText('ringside run edge').waitFor()
    await page.getByTestId('services').getByText('never ran').first().waitFor()
    await page.context().close()
  })

  test('charts follow a workload, with the numbers of the topic', async () => {
    await work()
    const page = await browser.open(panel.url)
    await eventually('calls', 60, async () => (await shownCalls(page)) > 0 || undefined)
    const calls = await shownCalls(page)
    const picture = () =>
      page
        .getByTestId('chart-calls')
        .locator('canvas')
        .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
    const before = await picture()
    await eventually('more calls', 60, async () => {
      await work()
      return (await shownCalls(page)) > calls || undefined
    })
    assert.notEqual(await picture(), before)

    await page.keyboard.press('l')
    const pausedMs = Date.now()
    const { timeMs, texts } = await eventually('the values of a window older than 5 s', 60, async () => {
      await page.keyboard.press('ArrowLeft')
      const read = await readOut(page)
      return read.timeMs < pausedMs - 5000 && read.texts.length === 11 ? read : undefined
    })
    const rows = await inTopic(timeMs)
    assert.equal(rows.length, 4)
    const count = rows.reduce((sum, row) => sum + row.count, 0)
    const failed = rows.reduce((sum, row) => sum + row.failed, 0)
    const expected = rows.reduce((sum, row) => sum + row.expected, 0)
    const quantiles = Sketch.of(...rows.map(({ latency }) => latency)).quantiles([0.5, 0.95, 0.99])
    assert.deepEqual(texts, [
      ...[format.formatPerSecond(count), formatCount(count), '7'],
      ...[...quantiles, samples.Rollup.max_ns].map(format.formatDuration),
      ...[format.formatPerSecond(failed), format.formatPart(failed / count), formatCount(failed), formatCount(expected)]
    ])
    await page.context().close()
  })

  test('lost events are shown for the host that lost them', async () => {
    await work()
    const page = await browser.open(panel.url)
    const hosts = page.getByTestId('hosts')
    await hosts.locator('[data-host=web-2] .bad').getByText('ring full').waitFor()
    assert.equal(await hosts.locator('[data-host=web-1] [data-lost]').getAttribute('data-lost'), '0')
    const titles = ['host', 'age', 'emitted', 'counted', 'lost', 'reduced']
    assert.deepEqual(await hosts.locator('thead th').allTextContents(), titles)
    await page.context().close()
  })

  test('a link restores the view, and the back button goes through the choices', async () => {
    await work()
    const page = await browser.open(panel.url)
    await page.locator('[data-filter=host]').selectOption('web-2')
    await page.locator('[data-filter=call]').selectOption('connect')
    await page.keyboard.press('Escape')
    await page.keyboard.press('2')
    await page.getByTestId('top').getByRole('link', { name: 'call', exact: true }).click()
    await page.keyboard.press('l')
    await eventually('the calls of the filter', 60, async () => (await shownCalls(page)) > 0 || undefined)
    const shown = await shownCalls(page)

    const other = await browser.open(page.url())
    await eventually('the same sum', 60, async () => (await shownCalls(other)) === shown || undefined)
    assert.equal(await other.locator('[data-filter=host]').inputValue(), 'web-2')
    assert.equal(await other.locator('[data-filter=call]').inputValue(), 'connect')
    assert.equal(await other.getByRole('button', { name: '15m' }).getAttribute('aria-pressed'), 'true')
    assert.match(await textOf(other.getByTestId('live')), /^Paused at/)
    await other.context().close()

    await page.goBack()
    await page.getByTestId('live').getByText('Live', { exact: true }).waitFor()
    await page.goBack()
    await page.goBack()
    await page.locator('button[aria-pressed=true]', { hasText: '5m' }).waitFor()
    await page.goBack()
    await eventually(
      'no call chosen',
      60,
      async () => (await page.locator('[data-filter=call]').inputValue()) === '' || undefined
    )
    assert.equal(await page.locator('[data-filter=host]').inputValue(), 'web-2')
    await page.context().close()
  })

  test('a click on a top talker filters the view by it', async () => {
    await work()
    const page = await browser.open(panel.url)
    await eventually('the link to a workload', 60, async () => {
      await work()
      return (await page.getByTestId('top').getByRole('link', { name: '/usr/bin/program-1' }).count()) > 0 || undefined
    })
    await page.getByTestId('top').getByRole('link', { name: '/usr/bin/program-1' }).click()
    assert.equal(new URL(page.url()).searchParams.get('workload'), '/usr/bin/program-1')
    // The address changes at once, the page in its next frame.
    const chosen = page.locator('[data-filter=workload]')
    await eventually(
      'the filter to be set',
      60,
      async () => (await chosen.inputValue()) === '/usr/bin/program-1' || undefined
    )
    await page.context().close()
  })

  test('after a restart of the service the page reconnects and loads what it missed', async () => {
    await work()
    const page = await browser.open(panel.url)
    await eventually('calls', 60, async () => (await shownCalls(page)) > 0 || undefined)
    const newestMs = publishedMs
    await panel.stop()
    await page.getByTestId('disconnected').waitFor()
    await eventually('seconds that the page does not see', 60, async () => {
      await work()
      return publishedMs >= newestMs + 3000 || undefined
    })
    panel = await start({ port })
    const outage = page.getByTestId('outage')
    await outage.getByText('Reconnected after').waitFor()
    await eventually('the missed windows', 60, async () => {
      const [loaded = 0] =
        (await textOf(outage))
          .match(/(\d+) of \d+ missed windows/)
          ?.slice(1)
          .map(Number) ?? []
      return loaded >= 2 || undefined
    })
    await page.getByTestId('connection').getByText('connected', { exact: true }).waitFor()
    await page.getByTestId('disconnected').waitFor({ state: 'detached' })
    await page.keyboard.press('l')
    const fresh = await browser.open(page.url())
    await eventually(
      'the total of a page that missed nothing',
      60,
      async () => (await shownCalls(fresh)) === (await shownCalls(page)) || undefined
    )
    await outage.getByRole('button').click()
    await outage.waitFor({ state: 'detached' })
    await fresh.context().close()
    await page.context().close()
  })

  test('a wrong token is refused with a message, the right one opens the page', async () => {
    await work()
    const guarded = await start({ token })
    const page = await browser.open(guarded.url)
    await page.getByLabel('token').fill('a-token-that-is-wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByTestId('refused').getByText('refused this token').waitFor()
    assert.equal(await page.getByTestId('hosts').count(), 0)
    await page.getByLabel('token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByTestId('hosts').getByText('web-1').waitFor()
    await page.reload()
    await page.getByTestId('hosts').getByText('web-1').waitFor()
    await page.context().close()
    await guarded.stop()
  })

  test('an alert has its explanation and a link to its events in the audit log', async () => {
    const nowUs = Date.now() * 1000
    const lost = { ...samples.Alert, first_seen: nowUs - 5_000_000, last_seen: nowUs, lost_events: 17 }
    await send('alerts', 'Alert', [lost])
    await send('audit', 'AuditRecord', [
      { ...samples.AuditRecord, time: nowUs - 1_000_000 },
      { ...samples.AuditRecord, seq: 2, time: nowUs - 500_000, comm: 'ls', exe: '/bin/ls', pid: 7 }
    ])
    const page = await browser.open(panel.url)
    const alerts = page.getByTestId('alerts')
    await alerts.getByText(samples.Alert.explanation).waitFor()
    await alerts.getByText('17 events lost in this time').waitFor()
    await alerts.getByText(samples.Alert.title).click()
    await alerts.getByRole('cell', { name: '21' }).waitFor()
    await alerts.getByRole('link', { name: 'Show its events in the audit log' }).click()
    const audit = page.getByTestId('audit')
    await audit.getByRole('cell', { name: '203.0.113.7:443' }).waitFor()
    await audit.getByText('1 matching, 2 scanned').waitFor()

    const other = await browser.open(page.url())
    await other.getByTestId('audit').getByRole('cell', { name: 'ECONNREFUSED' }).waitFor()
    await other.getByTestId('audit').getByLabel('process id').fill('eight')
    await other.getByRole('button', { name: 'Search' }).click()
    await other.getByText('The process id must be a number: eight').waitFor()
    await other.context().close()
    await page.context().close()
  })

  test('names that act on a terminal or reorder text are shown as visible escapes', async () => {
    const nowUs = Date.now() * 1000
    const name = 'evil\u202e\u001b[2J\u200b\0\n'
    const shown = 'evil\\u{202e}\\x1b[2J\\u{200b}\\x00\\x0a'
    const names = { host: name, comm: name, exe: name, workload: name }
    await work()
    const explanation = `${name} connected ${'x'.repeat(11_000)}`
    const alert = { ...samples.Alert, ...names, title: name, explanation, id: 'evil', last_seen: nowUs }
    await send('alerts', 'Alert', [alert])
    await send('audit', 'AuditRecord', [{ ...samples.AuditRecord, ...names, path: name, time: nowUs - 1_000_000 }])
    await send('hosts', 'HostStatus', [{ ...samples.HostStatus, host: name, watermark: nowUs }])
    const rows = rowsOf(publishedMs - 2000, 1).map((row) => ({ ...row, ...names }))
    await send('rollups', 'Rollup', rows)
    const page = await browser.open(panel.url)
    await page.getByTestId('alerts').getByText(`${shown} connected xxx`).waitFor()
    await page.getByTestId('hosts').getByText(shown).first().waitFor()
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByTestId('audit').getByRole('cell', { name: shown }).first().waitFor()
    const texts = await page.evaluate(() => {
      const all = [...document.querySelectorAll('*')].flatMap((element) => [
        ...[...element.childNodes].flatMap((node) => (node.nodeType === 3 ? [node.textContent ?? ''] : [])),
        ...['title', 'aria-label', 'placeholder'].map((attribute) => element.getAttribute(attribute) ?? '')
      ])
      return [
        ...all,
        ...[...document.querySelectorAll('datalist option')].map((option) => option.getAttribute('value'))
      ]
    })
    for (const text of texts) assert.equal(printableLines(text ?? ''), text)
    await page.context().close()
  })

  test('the page is usable with the keyboard alone', async () => {
    await work()
    const page = await browser.open(panel.url)
    await eventually('rows', 60, async () => {
      await work()
      return (await page.getByTestId('top').locator('[data-row]').count()) >= 2 || undefined
    })
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    const rows = await page.getByTestId('top').locator('[data-row]').allTextContents()
    await page.keyboard.press('j')
    assert.equal(await focused(), rows[0])
    await page.keyboard.press('j')
    assert.equal(await focused(), rows[1])
    await page.keyboard.press('k')
    assert.equal(await focused(), '/usr/bin/program-1')
    await eventually('the rows to swap', 60, async () => {
      await work(0)
      const [top] = await page.getByTestId('top').locator('[data-row]').allTextContents()
      return top === '/usr/bin/program-0' || undefined
    })
    assert.equal(await focused(), '/usr/bin/program-1')
    await page.keyboard.press('Enter')
    assert.equal(new URL(page.url()).searchParams.get('workload'), '/usr/bin/program-1')
    await page.keyboard.press('x')
    await page.keyboard.press('3')
    await page.keyboard.press('g')
    assert.deepEqual(
      [...new URL(page.url()).searchParams],
      [
        ['range', '2h'],
        ['by', 'process']
      ]
    )
    await page.keyboard.press('/')
    await page.keyboard.type('l?')
    assert.equal(await page.getByTestId('audit').locator('[name=program]').inputValue(), 'l?')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByTestId('help').getByText('search the audit log').waitFor()
    await page.keyboard.press('Escape')
    await page.getByTestId('help').waitFor({ state: 'hidden' })
    await page.context().close()
  })

  test('at 390 pixels the page needs no horizontal scrolling', async () => {
    await work()
    await send('alerts', 'Alert', [samples.Alert])
    const from = new Date(Date.now() - 60_000).toISOString()
    const to = new Date(Date.now() + 60_000).toISOString()
    const url = `${panel.url}?by=process&audit.from=${from}&audit.to=${to}`
    const page = await browser.open(url, { viewport: { width: 390, height: 844 } })
    await page.getByTestId('hosts').getByText('web-1').waitFor()
    await page.getByTestId('audit-summary').waitFor()
    assert.ok(await fitsWidth(page))
    await page.getByTestId('alerts').locator('summary').first().click()
    assert.ok(await fitsWidth(page))
    await page.context().close()
  })

  test('the theme is that of the system until one is chosen, and every text has enough contrast', async () => {
    await work()
    const page = await browser.open(panel.url, { colorScheme: 'dark' })
    await page.getByTestId('hosts').getByText('web-1').waitFor()
    for (const theme of ['auto', 'light', 'dark'] as const) {
      await page.getByTestId('theme').selectOption(theme)
      const { background, contrasts } = await page.evaluate(contrastsOf)
      assert.equal(background > 0.5, theme === 'light', `${theme}: ${background}`)
      const faint = contrasts.filter(({ contrast }) => contrast < 4.5)
      assert.deepEqual(faint, [], theme)
      assert.ok(contrasts.length > 50, String(contrasts.length))
    }
    await page.reload()
    assert.equal(await page.getByTestId('theme').inputValue(), 'dark')
    await page.context().close()
  })
})

/** Runs in the page: the luminance of its background, and the contrast of each text with its background, by WCAG 2. */
const contrastsOf = () => {
  const parts = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = parts(colour).map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)'
    const colour = getComputedStyle(element).backgroundColor
    return (parts(colour)[3] ?? 1) > 0 ? colour : behind(element.parentElement)
  }
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '')
  )
  const contrasts = texts.map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return { text: element.textContent?.slice(0, 40), class: element.className, contrast }
  })
  return { background: luminance(behind(document.body)), contrasts }
}
