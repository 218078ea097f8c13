// A browser for the tests of one file: the system's Chromium, driven by playwright-core, which installs none.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const findBrowser = (): string | undefined => process.env['RINGSIDE_TEST_CHROMIUM'] ?? places.find(existsSync)

/** Why no browser can be started, or false: for the `skip` of a suite. */
export const browserMissing = (): string | false =>
  findBrowser() === undefined && 'needs Chromium: apt-get install chromium, or name one with RINGSIDE_TEST_CHROMIUM'

/** On a slow machine, beside other tests, a page may take that long to show its data. */
const patienceMs = 60_000

export const startBrowser = (): Promise<Browser> => {
  const executablePath = findBrowser()
  assert.ok(executablePath, String(browserMissing()))
  // Chromium's sandbox refuses to run as root, and containers have a small /dev/shm.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] })
}

export interface TestBrowser {
  /** In a new context, without anything that another page stored. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
  /** Errors of pages, and requests that their security policy refused. */
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
      // The browser logs each attempt to reach a service that does not run.
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
 * The figures that the panel's page shows for the selected window, all of one moment: its time; rate and number of calls,
 * and of dropped events if any; p50, p95, p99 and max; rate, share and number of failed calls; number of expected errors.
 */
export const readOut = async (page: Page): Promise<{ timeMs: number; texts: string[] }> => {
  const shown = page.locator('[data-testid=read-time] b, [data-testid^=readout-] [data-value]')
  const [time = '', ...texts] = await shown.allTextContents()
  return { timeMs: Date.parse(time.replace(' ', 'T')), texts }
}
