// The panel over a real edge: the calls of a process are on the page, with the numbers of the topic.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { formatCount } from '../../runtime/format-number.ts'
import { browserMissing, readOut, startBrowser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { eventually, firstEventsOf, startRingside, tailRows, temporaryDirectory } from '../support/ringside.ts'

/** Fifty times a second, opens a file and fails to open a missing one. */
const workload = `
  const { readFileSync, existsSync } = require('node:fs')
  setInterval(() => { readFileSync('/etc/hostname'); try { readFileSync('/nowhere') } catch {} }, 20)
`

test('the calls of a process are on the page, with the numbers of the topic', {
  skip: kernelTests.skip || browserMissing() || (await localKafkaMissing()),
  timeout: 300_000
}, async (t) => {
  const env = { RINGSIDE_STATE_DIR: temporaryDirectory(t, 'e2e-panel'), RINGSIDE_HOST: 'e2e-host' }
  const child = spawn(process.execPath, ['-e', workload], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  const [kafkaPort, panelPort] = [String(await freePort()), String(await freePort())]
  const ports = ['--kafka-port', kafkaPort, '--panel-listen', panelPort]
  const up = startRingside(['up', '--pid', String(child.pid), ...ports], env)
  t.after(async () => {
    up.child.kill('SIGINT')
    await up.finished
  })
  await firstEventsOf(up)

  const browser = await startBrowser()
  t.after(() => browser.close())
  const page = await browser.newPage()
  page.setDefaultTimeout(90_000)
  await page.goto(`http://127.0.0.1:${panelPort}/?call=openat`)
  const shownCalls = async (): Promise<number> => {
    const text = await page.getByTestId('sums').locator('b').first().textContent()
    return Number(text?.replaceAll(',', ''))
  }
  const first = await eventually('calls on the page', 90, async () => (await shownCalls()) || undefined)
  await eventually('more calls', 90, async () => (await shownCalls()) > first + 200 || undefined)

  // Compares a window after its allowed lateness: its row no longer changes.
  await eventually('2,000 more calls', 90, async () => (await shownCalls()) > first + 2000 || undefined)
  await page.keyboard.press('l')
  await eventually('calls while paused', 90, async () => (await shownCalls()) > 0 || undefined)
  const pausedMs = Date.now()
  const { timeMs, texts } = await eventually('the values of a window older than 11 s', 90, async () => {
    await page.keyboard.press('ArrowLeft')
    const read = await readOut(page)
    return read.timeMs < pausedMs - 11_000 && read.texts.length > 0 ? read : undefined
  })

  const where = 'by == "workload" && syscall == "openat" && window_ms == 1000'
  const rows = await tailRows('rollups', ['--since', '5m', '--where', where], {
    ...env,
    RINGSIDE_BROKERS: `127.0.0.1:${kafkaPort}`
  })
  const ofWindow = rows
    .filter(({ window_start }) => Date.parse(String(window_start)) === timeMs)
    .toSorted((a, b) => Number(b['revision']) - Number(a['revision']))
  assert.ok(ofWindow[0], `no row of ${timeMs} among ${rows.length}`)
  assert.deepEqual(
    { calls: texts[1], expected: texts.at(-1) },
    {
      calls: formatCount(Number(ofWindow[0]['count'])),
      expected: formatCount(Number(ofWindow[0]['expected']))
    }
  )
  assert.ok(Number(ofWindow[0]['expected']) > 0)
})
