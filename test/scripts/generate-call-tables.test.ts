import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { formatSyscalls, formatUringOperations, readCallTables } from '../../scripts/generate-call-tables.ts'

const root = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(root, { recursive: true }))

const asm = 'usr/lib/linux/uapi'
const headers: Readonly<Record<string, string>> = {
  'usr/include/linux/version.h':
    '#define LINUX_VERSION_MAJOR 7\n#define LINUX_VERSION_PATCHLEVEL 3\n#define LINUX_VERSION_SUBLEVEL 4\n',
  'usr/include/linux/io_uring.h':
    'enum io_uring_op {\n\tIORING_OP_NOP,\n\tIORING_OP_READV, /* a comment, too */\n\n\t/* last */\n\tIORING_OP_LAST,\n};\n',
  [`${asm}/x86/asm/unistd_64.h`]: '#define __NR_read 0\n#define __NR_write 1\n',
  [`${asm}/x86/asm/unistd_x32.h`]:
    '#define __NR_read (__X32_SYSCALL_BIT + 0)\n#define __NR_ioctl (__X32_SYSCALL_BIT + 514)\n',
  [`${asm}/x86/asm/unistd_32.h`]: '#define __NR_read 3\n',
  [`${asm}/arm64/asm/unistd_64.h`]: '#define __NR_read 63\n',
  [`${asm}/arm/asm/unistd-eabi.h`]: '#define __NR_read (__NR_SYSCALL_BASE + 3)\n#define __NR_OTHER text\n'
}

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

for (const [path, text] of Object.entries(headers)) write(path, text)

test('the tables have the numbers of every header', () => {
  const tables = readCallTables(root)
  const lines = formatSyscalls(tables).split('\n')
  assert.match(lines[0] as string, /headers of Linux 7\.3\.4/)
  assert.deepEqual(lines.slice(2), [
    'name\tx64\tx32\ti386\tarm64\tarm',
    'ioctl\t-\t514\t-\t-\t-',
    'read\t0\t-\t3\t63\t3',
    'write\t1\t-\t-\t-\t-',
    ''
  ])
  assert.match(formatUringOperations(tables), /Linux 7\.3\.4\.[\s\S]*= \[\n {2}'nop',\n {2}'readv'\n\] as const\n$/)
})

test('a header that is missing or has another form is refused', () => {
  assert.throws(() => readCallTables(join(root, 'none')), { code: 'NO_INPUT', message: /dpkg-deb -x linux-libc-dev/ })
  write('usr/include/linux/io_uring.h', 'enum io_uring_op {\n\tIORING_OP_NOP = 3,\n\tIORING_OP_LAST,\n};\n')
  assert.throws(() => readCallTables(root), { code: 'DATA', message: /IORING_OP_NOP = 3/ })
  write(`${asm}/arm64/asm/unistd_64.h`, '')
  assert.throws(() => readCallTables(root), {
    code: 'DATA',
    message: /arm64\/asm\/unistd_64\.h defines no system call/
  })
})

test('the committed tables are of one kernel version', () => {
  const folder = join(import.meta.dirname, '../../producer/source')
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const version = /Linux (\d+\.\d+\.\d+)\./
  const versions = ['syscalls.tsv', 'uring-operations.ts'].map((name) => version.exec(read(name))?.[1])
  assert.ok(versions[0] !== undefined)
  assert.equal(versions[0], versions[1])
})
