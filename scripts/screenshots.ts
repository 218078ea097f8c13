// Takes the pictures in docs/images: `ringside up` with a real workload, and its panel in Chromium, dark, light and 390
// pixels wide. Needs root, Go, Chromium and an otherwise idle machine: node scripts/screenshots.ts [SECONDS]
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { compileGo } from '../bench/processes.ts'
import { startBrowser } from '../test/support/browser.ts'
import { freePort } from '../test/support/free-port.ts'
import { startRingside } from '../test/support/ringside.ts'

const imagesDir = join(import.meta.dirname, '../docs/images')
const seconds = Number(process.argv[2] ?? 130)

/** More workloads. No packet leaves the machine: the addresses are reserved for documentation (RFC 5737). */
const shellLoads = {
  files: 'while sleep 2; do tar -cf - /usr/include 2>/dev/null | gzip -1 >/dev/null; done',
  names: 'while sleep 3; do find /usr/share -name "*.gz" -newer /etc/hostname; done',
  refused: 'while sleep 0.2; do (echo >/dev/tcp/127.0.0.1/9) 2>/dev/null; done',
  scan: `sleep ${Math.round(seconds * 0.6)}; exec unshare --net sh -c 'for i in $(seq 60); do curl -s http://203.0.113.$i/; done'`
}

const stateDir = mkdtempSync(join(tmpdir(), 'ringside-screenshots-'))
const binDir = '/opt/demo'
/** Mount point of cgroup v2. */
const cgroups = readFileSync('/proc/mounts', 'utf8').match(/^\S+ (\S+) cgroup2 /m)?.[1] ?? '/sys/fs/cgroup'
const group = `demo-${process.pid}`
const cgroup = join(cgroups, group)
const children: ChildProcess[] = []

/** Starts a program in the observed cgroup, and in its own process group, so that stopAll() also ends its children. */
const start = (command: string, args: readonly string[]): ChildProcess => {
  const enter = `echo $$ >${cgroup}/cgroup.procs; exec "$@"`
  const child = spawn('sh', ['-c', enter, 'sh', command, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true
  })
  child.stdout?.resume()
  children.push(child)
  return child
}

const stopAll = (): void => {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // Already ended.
    }
  }
}

/** Compiles a Go program into a folder whose path may be in the pictures. */
const compile = (name: string): string => {
  const path = join(binDir, name)
  copyFileSync(compileGo(name), path)
  return path
}

const startLoads = async (): Promise<void> => {
  const server = start(compile('http-server'), [])
  const [address] = (await once(server.stdout as NonNullable<typeof server.stdout>, 'data')) as [Buffer]
  // Requests per second, for twelve seconds each: the charts show the steps.
  const rates = [300, 600, 1200, 900, 1500, 400]
  const load = compile('http-load')
  const waves = rates.map((rate) => `${load} ${String(address).trim()} ${rate * 12} 50 ${rate}`).join('; ')
  start('sh', ['-c', `while :; do ${waves}; done`])
  for (const script of Object.values(shellLoads)) start('bash', ['-c', script])
}

interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly colorScheme: 'dark' | 'light'
  readonly query: string
}

const pictures: readonly Picture[] = [
  { name: 'panel-dark', width: 1280, height: 900, colorScheme: 'dark', query: '' },
  {
    name: 'panel-light',
    width: 1280,
    height: 1320,
    colorScheme: 'light',
    query: '?by=process&sort=timeShare&audit.call=connect&audit.failed=1'
  },
  { name: 'panel-390', width: 390, height: 1600, colorScheme: 'dark', query: '' }
]

const take = async (browser: Browser, url: string, { name, width, height, colorScheme, query }: Picture) => {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme })
  await page.goto(`${url}${query}`)
  await page.getByTestId('readout-calls').waitFor()
  await page.getByTestId('top').locator('[data-row]').first().waitFor()
  if (query.includes('audit.')) await page.getByTestId('audit-summary').waitFor()
  await page.screenshot({ path: join(imagesDir, `${name}.png`) })
  await page.close()
}

const [kafkaPort, panelPort] = [await freePort(), await freePort()]
mkdirSync(imagesDir, { recursive: true })
mkdirSync(cgroup)
mkdirSync(binDir)
const up = startRingside([
  'up',
  ...['--state-dir', stateDir, '--host', 'web-1', '--cgroup', `/${group}`],
  ...['--kafka-port', String(kafkaPort), '--panel-listen', String(panelPort)]
])
try {
  await startLoads()
  await delay(seconds * 1000)
  const browser = await startBrowser()
  for (const picture of pictures) await take(browser, `http://127.0.0.1:${panelPort}/`, picture)
  await browser.close()
} finally {
  stopAll()
  up.child.kill('SIGINT')
  const { code, stderr } = await up.finished
  if (code !== 0) process.stderr.write(stderr)
  rmdirSync(cgroup)
  rmSync(binDir, { recursive: true, force: true })
  rmSync(stateDir, { recursive: true, force: true })
}
