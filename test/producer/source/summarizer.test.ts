import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { summaryCpu } from '../../../bpf/event.ts'
import { Summarizer } from '../../../producer/source/summarizer.ts'
import { FakeKernel } from '../../support/fake-kernel.ts'

const noProgress = { highest: [] }

/** A kernel whose wall clock is set by the test; summarize() resolves or rejects when the test says so. */
class SlowKernel extends FakeKernel {
  wallMs = 1_700_000_000_500
  calls = 0
  settle: { resolve: (made: boolean) => void; reject: (error: Error) => void } | undefined

  override clock() {
    return { ...super.clock(), wallNs: BigInt(this.wallMs) * 1_000_000n }
  }

  override summarize(): Promise<boolean> {
    this.calls++
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
    })
  }
}

test('summaries are made once in each second of the wall clock, one at a time', async () => {
  const kernel = new SlowKernel()
  const summarizer = new Summarizer(kernel)
  assert.equal(summarizer.tick(), false)
  kernel.wallMs += 500
  assert.equal(summarizer.tick(), true)
  kernel.wallMs += 1_000
  assert.equal(summarizer.tick(), true)
  assert.equal(kernel.calls, 1)
  kernel.settle?.resolve(true)
  await setImmediate()
  assert.equal(summarizer.tick(), true)
  assert.equal(kernel.calls, 2)
})

test('a failed summarize() ends the edge with its error', async () => {
  const kernel = new SlowKernel()
  const summarizer = new Summarizer(kernel)
  kernel.wallMs += 500
  summarizer.tick()
  kernel.settle?.reject(new Error('membarrier'))
  await assert.rejects(summarizer.flush(), /membarrier/)
  assert.throws(() => summarizer.tick(), /membarrier/)
})

test('time counts as summarized once the encoder has the last summary', async () => {
  const kernel = new FakeKernel()
  const summarizer = new Summarizer(kernel)
  assert.equal(summarizer.countedUntilUs(noProgress), -1)
  kernel.count({})
  assert.equal(await summarizer.flush(), true)
  assert.equal(summarizer.countedUntilUs(noProgress), 0)
  const highest = { [summaryCpu]: 1, length: summaryCpu + 1 }
  assert.equal(summarizer.countedUntilUs({ highest }), kernel.statistics().countedUntilUs)
})
