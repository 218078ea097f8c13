// What a chain's batches answer for, declare and hold, held against each other and against the programs' own counts.

import { formatCount } from '../runtime/format-number.ts'
import { eventClasses } from '../wire/event-class.ts'
import type { EventClass, Ledger } from '../wire/types.ts'
import { type Finding, finding, formatPlaces } from './finding.ts'
import type { RunChain } from './run-chain.ts'

const sumOf = (counts: Readonly<Record<EventClass, number>>): number =>
  eventClasses.reduce((sum, name) => sum + counts[name], 0)

/**
 * All that does not agree.
 * @param isOver nothing will follow, whether it ended in order or not; else only what cannot be mended by more batches
 */
export const differences = (chain: RunChain, isOver: boolean): Finding[] => [
  ...chain.findings,
  ...further(chain),
  ...outside(chain),
  ...(isOver ? [...cutOff(chain), ...balance(chain), ...compareLedger(chain)] : [])
]

const further = ({ furtherFindings: count, last: { run } }: RunChain): Finding[] =>
  count === 0 ? [] : [finding('hole', `${formatCount(count)} further holes or overlaps`, { run, count })]

const outside = (chain: RunChain): Finding[] => {
  const { count, places } = chain.outside()
  if (count === 0) return []
  const text = `${formatCount(count)} events have numbers that no batch answers for: ${formatPlaces(places, count)}`
  return [finding('outside', text, { run: chain.last.run, count, places })]
}

const cutOff = ({ isFinal, last: { run, batch } }: RunChain): Finding[] => {
  if (isFinal) return []
  const text =
    `run ${run} has no end after batch ${batch}, and no run took over from it: ` +
    'what was in its rings and in its memory is lost, and nothing tells how much'
  return [finding('cut_off', text, { run })]
}

const balance = (chain: RunChain): Finding[] => {
  const { run } = chain.last
  const { count: missing, places } = chain.missing()
  const declared = chain.dropped()
  const sides = `${formatCount(missing)} numbers are missing and ${formatCount(declared)} are declared as dropped`
  if (missing > declared) {
    const count = missing - declared
    const lost = `${formatCount(count)} were lost and nothing says so`
    const text = `${sides}: ${lost}; missing are ${formatPlaces(places, missing)}`
    return [finding('undeclared', text, { run, count, places })]
  }
  const count = declared - missing
  // Of a run cut off some of the declared were yet to be found missing. A dead run may have published what its
  // successor had to give up.
  if (!chain.isFinal || chain.isPartial || count <= sumOf(chain.again)) return []
  const text = `${sides}: ${formatCount(count)} of the declared are in the topic, or were declared twice`
  return [finding('overdeclared', text, { run, count, places })]
}

/** The programs' counts go back to their loading, and only the end's are of all events. */
const compareLedger = (chain: RunChain): Finding[] => {
  const { ledger, isFinal, isPartial, areCountsAnew } = chain
  if (ledger === null || !isFinal || isPartial || areCountsAnew) return []
  return [...compareRings(chain, ledger), ...compareCounts(chain, ledger)]
}

const compareRings = (chain: RunChain, { classes }: Ledger): Finding[] => {
  const { run } = chain.last
  const lostSummaries = chain.missing(-1).count
  const found: Finding[] = []
  for (const { class: name, emitted, dropped } of classes) {
    const later = chain.dropped(name, 'spool_full') + chain.dropped(name, 'backlog_full')
    const here = chain.events[name] + later
    if (emitted > here || here - emitted > chain.again[name] + lostSummaries) {
      const count = Math.abs(emitted - here)
      const meaning = emitted > here ? 'were lost on the way to the topic' : 'are too many, or of another class'
      const text =
        `${name}: the programs put ${formatCount(emitted)} events into the ring; ` +
        `${formatCount(chain.events[name])} are in the topic and ${formatCount(later)} are declared as lost ` +
        `later: ${formatCount(count)} ${meaning}`
      found.push(finding('emitted', text, { run, class: name, count }))
    }
    const declared = chain.dropped(name, 'ring_full')
    if (dropped === declared) continue
    const text =
      `${name}: the programs dropped ${formatCount(dropped)} events for want of room in the ring, ` +
      `batches declare ${formatCount(declared)}`
    found.push(finding('dropped', text, { run, class: name, count: Math.abs(dropped - declared) }))
  }
  return found
}

const compareCounts = (chain: RunChain, { classes, uncounted }: Ledger): Finding[] => {
  const counted = classes.reduce((sum, row) => sum + row.counted, 0)
  const told = sumOf(chain.summarised)
  const lacking = counted - told - uncounted
  if (lacking === 0 || (lacking > 0 && chain.missing(-1).count > 0)) return []
  const text =
    `the programs counted ${formatCount(counted)} calls; summaries tell of ${formatCount(told)}, and ` +
    `${formatCount(uncounted)} are known to be in none: ` +
    (lacking > 0
      ? `${formatCount(lacking)} are missing, and nothing says so`
      : `${formatCount(-lacking)} are told of twice`)
  return [finding('counted', text, { run: chain.last.run, count: Math.abs(lacking) })]
}
