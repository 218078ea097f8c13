import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KernelFacts, lacksOf, mayLoadPrograms, mayMeasurePrograms, suspectsOf } from '../../cli/live-kernel.ts'

const status = (capEff: string, seccomp = 0): string => `Name:\tnode\nCapEff:\t${capEff}\nSeccomp:\t${seccomp}\n`
const fine: KernelFacts = {
  hasBtf: true,
  status: status('000000c000000000'),
  uidMap: '         0          0 4294967295\n',
  lockdown: '[none] integrity confidentiality\n',
  inContainer: false
}

test('CAP_BPF with CAP_PERFMON, or CAP_SYS_ADMIN, may load programs', () => {
  assert.equal(mayLoadPrograms('000001ffffffffff'), true)
  assert.equal(mayLoadPrograms('000000c000000000'), true)
  assert.equal(mayLoadPrograms('0000000000200000'), true)
  assert.equal(mayLoadPrograms('0000008000000000'), false)
  assert.equal(mayLoadPrograms('0000000000000000'), false)
  assert.deepEqual(lacksOf(fine), [])
  assert.deepEqual(suspectsOf(fine), [])
})

test('measuring programs needs CAP_SYS_ADMIN', () => {
  assert.equal(mayMeasurePrograms('000001ffffffffff'), true)
  assert.equal(mayMeasurePrograms('000000c000000000'), false)
})

test('a kernel without BTF is reported', () => {
  const [lack, ...more] = lacksOf({ ...fine, hasBtf: false })
  assert.equal(lack?.kind, 'btf')
  assert.match(lack.remedy, /CONFIG_DEBUG_INFO_BTF=y/)
  assert.deepEqual(more, [])
})

test('only the missing capabilities are reported, with the fix', () => {
  const missing = (capEff: string): string | undefined => lacksOf({ ...fine, status: status(capEff) })[0]?.missing
  assert.equal(missing('0000000000000000'), 'CAP_BPF and CAP_PERFMON are missing')
  assert.equal(missing('0000008000000000'), 'CAP_PERFMON is missing')
  assert.equal(missing('0000004000000000'), 'CAP_BPF is missing')
  const remedy = (inContainer: boolean) => lacksOf({ ...fine, status: status('0'), inContainer })[0]?.remedy ?? ''
  assert.match(remedy(false), /run as root .*deploy\/systemd\/ringside-edge\.service/)
  assert.match(remedy(true), /--pid=host --cap-add BPF --cap-add PERFMON/)
})

test('root of a user namespace may not load programs', () => {
  const [lack] = lacksOf({ ...fine, status: status('000001ffffffffff'), uidMap: '         0       1000          1\n' })
  assert.equal(lack?.kind, 'privileges')
  assert.match(lack.missing, /user namespace/)
})

test('lockdown and seccomp are reported as possible causes', () => {
  assert.match(suspectsOf({ ...fine, lockdown: 'none integrity [confidentiality]\n' })[0] ?? '', /lockdown=integrity/)
  assert.deepEqual(suspectsOf({ ...fine, lockdown: 'none [integrity] confidentiality\n' }), [])
  assert.match(suspectsOf({ ...fine, status: status('000000c000000000', 2) })[0] ?? '', /seccomp/)
})
