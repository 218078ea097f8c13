import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaMajor } from '../../../cli/doctor/machine-checks.ts'

test("Java's major version is read from the output of java -version", () => {
  assert.equal(javaMajor('openjdk version "17.0.12" 2024-07-16'), 17)
  assert.equal(javaMajor('java version "1.8.0_402"'), 1)
  assert.equal(javaMajor('command not found'), undefined)
})
