import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

const built = join(import.meta.dirname, '../../../build/panel')

const files = readdirSync(built, { recursive: true, encoding: 'utf8' })
  .map((name) => ({ name, path: join(built, name) }))
  .filter(({ path }) => statSync(path).isFile())
  .map(({ name, path }) => ({ name, bytes: readFileSync(path) }))

test('the whole page is smaller than 60 kB compressed', (context) => {
  const sizes = files.map(({ name, bytes }) => [name, gzipSync(bytes).length] as const)
  const total = sizes.reduce((sum, [, size]) => sum + size, 0)
  context.diagnostic(`gzip: ${total} bytes; ${sizes.map(([name, size]) => `${name} ${size}`).join(', ')}`)
  assert.ok(total < 60_000, `${total} bytes`)
})

test('the page has no inline script or style and loads nothing from other origins', () => {
  const html = files.find(({ name }) => name === 'index.html')?.bytes.toString() ?? ''
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/)
  for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(address, /^\.\//)
  for (const { name, bytes } of files.filter(({ name }) => name.endsWith('.css'))) {
    assert.doesNotMatch(bytes.toString(), /@import|url\(\s*["']?(?:https?:)?\/\//, name)
  }
})
