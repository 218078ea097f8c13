// Paths of files in places where they are not what was asked for. The right value is the kernel's own, as the program reads
// it from /proc/self/fd.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, observeProgram, type Seen, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

/** The opens that the program reported, with the kernel's path of each; undefined for one that failed. */
const opensIn = async (place: string): Promise<{ at: string; opens: [Seen, string | undefined][] }> => {
  const at = join(folder, place)
  mkdirSync(at)
  const { events, result } = await observeProgram('places', place, at)
  assert.equal(result.code, 0)
  const lines = result.stdout.trimEnd().split('\n')
  // The program makes other opens, which it does not report, by the C library alone.
  const opens = callsOf(events, 'openat').slice(-lines.length)
  return { at, opens: lines.map((line, i) => [opens[i] as Seen, line === '-' ? undefined : line]) }
}

const kernelText = (event: Seen): string => (event.isDeleted ? `${event.path} (deleted)` : event.path)

describe('the path of a file', { skip, timeout: kernelTimeoutMs }, () => {
  it('has U+FFFD for bytes that are no UTF-8, and every other byte as it is', async () => {
    const at = join(folder, 'odd-names')
    mkdirSync(at)
    const { events } = await observeProgram('places', 'odd-names', at)
    const made = callsOf(events, 'openat').slice(-3)
    assert.deepEqual(
      made.map((event) => [event.path, event.isOpened, event.isDeleted]),
      [
        [join(at, '\ufffd\ufffd\u0001name'), true, false],
        [join(at, 'a\nb\u001b[31m'), true, false],
        [join(at, 'name (deleted)'), true, false]
      ]
    )
  })

  it('is that of the kernel for a file without a name, and marked', async () => {
    const { at, opens } = await opensIn('nameless')
    for (const [event, known] of opens.slice(0, -1)) {
      assert.equal(kernelText(event), known)
      assert.deepEqual([event.isOpened, event.isTruncated], [true, false], known)
    }
    assert.deepEqual(
      opens.map(([event]) => event.isDeleted),
      [true, true, true, false, false, true]
    )
    assert.equal(opens.at(-1)?.[0].path, join(at, 'lost/file'), 'asked for in a folder that is gone')
  })

  it('is whole up to 4,095 bytes, and beyond them its end behind a mark', async () => {
    const { opens } = await opensIn('deep')
    const [[longest, known], [bottom], [nothing]] = opens as [[Seen, string], [Seen, string], [Seen, string]]
    assert.equal(known.length, 4095)
    assert.deepEqual([longest.path, longest.isOpened, longest.isTruncated], [known, true, false])
    for (const [event, name] of [
      [bottom, 'bottom'],
      [nothing, 'nothing']
    ] as const) {
      assert.equal(event.isTruncated, true)
      assert.match(event.path, new RegExp(`^…d*(/d{255})+/${name}$`))
      assert.ok(Buffer.byteLength(event.path) <= 4095)
    }
    assert.deepEqual([bottom.isOpened, bottom.extra, nothing.isOpened], [true, 'bottom', false])
  })

  it('begins at the root of the mount namespace in a chroot', async () => {
    const { at, opens } = await opensIn('chroot')
    assert.deepEqual(
      opens.map(([event]) => [event.path, event.isOpened]),
      [
        [join(at, 'root/file'), true],
        [join(at, 'root/nothing'), false],
        [join(at, 'file'), true]
      ]
    )
  })

  it('is only known to be an end where nothing is mounted, so that it looks like no path of the host', async () => {
    const { opens } = await opensIn('unmounted')
    assert.deepEqual(
      opens.map(([event, known]) => [event.path, event.isTruncated, known]),
      [
        ['…/etc/passwd', true, '/etc/passwd'],
        ['…/etc/passwd', true, '/etc/passwd'],
        ['…/etc/nothing', true, undefined]
      ]
    )
  })

  it('is that of the mount by which it was reached, in its mount namespace', async () => {
    const { at, opens } = await opensIn('mounts')
    assert.deepEqual(
      opens.map(([event, known]) => [event.path, known]),
      [
        [join(at, 'there/file'), join(at, 'there/file')],
        [join(at, 'target'), join(at, 'target')],
        [join(at, 'there/nothing'), undefined]
      ]
    )
  })
})
