import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { needsOf } from '../../../scripts/test/needs.ts'
import { planOf } from '../../../scripts/test/plan.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const files: Readonly<Record<string, string>> = {
  'wire/kafka.ts': "import '../test/support/kafka.ts'",
  'test/support/kernel.ts': '',
  'test/support/kafka.ts': "import './log.ts'",
  'test/support/log.ts': "import './kafka.ts'",
  'test/support/browser.ts': '',
  'test/support/quiet-machine.ts': '',
  'test/bpf/observe.ts': "import { kernelTests } from '../support/kernel.ts'",
  'test/pure.test.ts': "import { x } from '../wire/kafka.ts'\nimport './absent.ts'",
  'test/bpf/calls.test.ts': "import { observe } from './observe.ts'",
  'test/page.test.ts': "const { open } = await import('./support/browser.ts')\nimport { a } from './support/log.ts'",
  'test/quiet.test.ts': "import './support/kernel.ts'\nimport './support/quiet-machine.ts'"
}

const project = (t: TestContext): string => {
  const root = temporaryDirectory(t, 'plan')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const testFiles = Object.keys(files).filter((path) => path.endsWith('.test.ts'))

test('a test file needs what it and its helpers import from test/support, not what the project imports', (t) => {
  const root = project(t)
  const needs = (file: string) => [...needsOf(root, file)].toSorted()
  assert.deepEqual(needs('test/pure.test.ts'), [])
  assert.deepEqual(needs('test/bpf/calls.test.ts'), ['kernel'])
  assert.deepEqual(needs('test/page.test.ts'), ['browser', 'kafka'])
  assert.deepEqual(needs('test/quiet.test.ts'), ['kernel', 'quiet machine'])
})

test('files that load programs follow each other, those that need a quiet machine come last, others run side by side', (t) => {
  const { kernel, shared, quiet } = planOf(project(t), testFiles, false)
  assert.deepEqual(kernel, ['test/bpf/calls.test.ts'])
  assert.deepEqual(shared, ['test/page.test.ts', 'test/pure.test.ts'])
  assert.deepEqual(quiet, ['test/quiet.test.ts'])
})

test('a quick run has only the files that need nothing', (t) => {
  const { kernel, shared, quiet } = planOf(project(t), testFiles, true)
  assert.deepEqual([kernel, shared, quiet], [[], ['test/pure.test.ts'], []])
})
