// Compares a run chain's sequence numbers with its events and declared drops, and its ledger with both.
import { formatCount } from '../runtime/format-number.ts'
import type { Ledger } from '../wire/types.ts'
import { sumOfClasses } from './by-class.ts'
import { type Finding, finding, formatPlaces, quantity } from './finding.ts'
import type { RunChain } from './run-chain.ts'

/**
 * Every difference.
 * @param isOver no batch follows, whether the run ended in order or not; false leaves out the differences that later
 * batches can resolve
 */
export const differences = (chain: RunChain, isOver: boolean): Finding[] => [
  ...chain.findings,
  ...unlisted(chain),
  ...unaccounted(chain),
  ...(isOver ? [...cutOff(chain), ...compareDrops(chain), ...compareLedger(chain)] : [])
]

const unlisted = ({ unlistedFindings: count, last: { run } }: RunChain): Finding[] =>
  count === 0 ? [] : [finding('hole', `run ${run}: ${formatCount(count)} more holes or overlaps`, { run, count })]

const unaccounted = ({ numbers, isPartial, last: { run } }: RunChain): Finding[] => {
  const { count, places } = numbers.unaccounted(isPartial)
  if (count === 0) return []
  const text =
    `run ${run}: no batch accounts for the sequence numbers of ${quantity(count, 'event')} ` +
    `(${formatPlaces(places, count)}): their batch is not in the topic, or the edge miscounted`
  return [finding('unaccounted', text, { run, count, places })]
}

const cutOff = ({ isFinal, last: { run, batch } }: RunChain): Finding[] => {
  if (isFinal) return []
  const text =
    `run ${run}: ended without a final batch after batch ${batch}, and no run took over from it: ` +
    'the events in its rings and memory are lost, their number is unknown'
  return [finding('cut_off', text, { run })]
}

const compareDrops = (chain: RunChain): Finding[] => {
  const { run } = chain.last
  const { count: missing, places } = chain.numbers.missing()
  const declared = chain.drops.count()
  const sides = `run ${run}: ${quantity(missing, 'sequence number')} missing, ${formatCount(declared)} declared as dropped`
  if (missing > declared) {
    const count = missing - declared
    const text = `${sides}: ${formatCount(count)} lost without a declaration, among ${formatPlaces(places, missing)}`
    return [finding('undeclared', text, { run, count, places })]
  }
  const count = declared - missing
  // The final batch settles declarations. A dead run may have published events that its successor had to drop.
  if (!chain.isFinal || chain.isPartial || count <= sumOfClasses(chain.drops.superseded)) return []
  const text = `${sides}: ${formatCount(count)} of the declared are in the topic, or are declared twice`
  return [finding('overdeclared', text, { run, count, places })]
}

/** The programs' counts begin when they are loaded, and only the final ledger covers every event. */
const compareLedger = (chain: RunChain): Finding[] => {
  const { ledger, isFinal, isPartial, isLedgerReset } = chain
  if (ledger === null || !isFinal || isPartial || isLedgerReset) return []
  return [...compareEvents(chain, ledger), ...compareSummaries(chain, ledger)]
}

const compareEvents = ({ last: { run }, numbers, drops, events }: RunChain, { classes }: Ledger): Finding[] => {
  const missingSummaries = numbers.missing(-1).count
  const found: Finding[] = []
  for (const { class: name, emitted, dropped } of classes) {
    const where = `run ${run}, class ${name}`
    const later = drops.count(name, 'spool_full') + drops.count(name, 'backlog_full')
    const accounted = events[name] + later
    if (emitted > accounted || accounted - emitted > drops.superseded[name] + missingSummaries) {
      const count = Math.abs(emitted - accounted)
      const meaning = emitted > accounted ? 'lost on the way to the topic' : 'too many, or of another class'
      const text =
        `${where}: the programs emitted ${quantity(emitted, 'event')}, ${formatCount(events[name])} in the topic, ` +
        `${formatCount(later)} declared as dropped after the ring: ${formatCount(count)} ${meaning}`
      found.push(finding('emitted', text, { run, class: name, count }))
    }
    const declared = drops.count(name, 'ring_full')
    if (dropped === declared) continue
    const count = Math.abs(dropped - declared)
    const meaning = dropped > declared ? 'lost without a declaration' : 'declared too many'
    const text =
      `${where}: the programs dropped ${quantity(dropped, 'event')} because the ring was full, ` +
      `${formatCount(declared)} declared: ${formatCount(count)} ${meaning}`
    found.push(finding('dropped', text, { run, class: name, count }))
  }
  return found
}

const compareSummaries = ({ last: { run }, numbers, summarised }: RunChain, ledger: Ledger): Finding[] => {
  const counted = ledger.classes.reduce((sum, row) => sum + row.counted, 0)
  const inSummaries = sumOfClasses(summarised)
  const missing = counted - inSummaries - ledger.uncounted
  if (missing === 0 || (missing > 0 && numbers.missing(-1).count > 0)) return []
  const count = Math.abs(missing)
  const meaning = missing > 0 ? 'lost without a declaration' : 'counted twice'
  const text =
    `run ${run}: the programs counted ${quantity(counted, 'call')}, ${formatCount(inSummaries)} in summaries, ` +
    `${formatCount(ledger.uncounted)} uncounted (no summary had room): ${formatCount(count)} ${meaning}`
  return [finding('counted', text, { run, count })]
}
