// A browser for the tests of one file: the system's Chromium, driven by playwright-core, which brings none of its own.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const findBrowser = (): string | undefined => process.env['RINGSIDE_TEST_CHROMIUM'] ?? places.find(existsSync)

/** Why there is no browser to test with, or false: for the `skip` of a suite. */
export const browserMissing = (): string | false =>
  findBrowser() === undefined && 'needs Chromium: apt-get install chromium, or name one with RINGSIDE_TEST_CHROMIUM'

/** On a slow machine with other tests a page may take that long to show what it has. */
const patienceMs = 60_000

export const startBrowser = (): Promise<Browser> => {
  const executablePath = findBrowser()
  assert.ok(executablePath, String(browserMissing()))
  // Chromium's sandbox refuses to run as root, and containers have a small /dev/shm.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] })
}

export interface TestBrowser {
  /** In a context of its own: nothing that another page stored is there. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
  /** What pages complained about: errors, and what their security policy refused. */
  readonly complaints: string[]
}

/** Call within `describe`: starts a browser before its tests and ends it after them. */
export const withBrowser = (): TestBrowser => {
  let browser: Browser
  const complaints: string[] = []
  before(async () => {
    browser = await startBrowser()
  })
  after(() => browser?.close())
  return {
    complaints,
    open: async (url, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options })
      context.setDefaultTimeout(patienceMs)
      const page = await context.newPage()
      page.on('pageerror', (error) => complaints.push(error.stack ?? error.message))
      // A service that is away makes the browser write a line for each attempt.
      page.on('console', (message) => {
        if (
          message.type() === 'error' &&
          !/ERR_CONNECTION|WebSocket connection|Failed to load resource/.test(message.text())
        )
          complaints.push(message.text())
      })
      await page.goto(url)
      return page
    }
  }
}

/**
 * What the panel's page reads out of one window: its time; rate and number of its calls, and of events lost where there
 * are any; p50, p95, p99 and max; rate, share and number of its failed calls, number of its expected errors. All of one moment; empty where there is none.
 */
export const readOut = async (page: Page): Promise<{ timeMs: number; texts: string[] }> => {
  const shown = page.locator('[data-testid=read-time] b, [data-testid^=readout-] [data-value]')
  const [time = '', ...texts] = await shown.allTextContents()
  return { timeMs: Date.parse(time.replace(' ', 'T')), texts }
}
