import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerIdIn } from '../../producer/container-id.ts'

const id = '0123456789abcdef'.repeat(4)
const inner = 'f'.repeat(64)

for (const [engine, path, expected] of [
  ['Docker under systemd', `/system.slice/docker-${id}.scope`, id],
  ['Docker with cgroupfs', `/docker/${id}`, id],
  ['containerd in Kubernetes', `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`, id],
  ['containerd with cgroupfs', `/kubepods/besteffort/pod1234/${id}/init`, id],
  ['CRI-O', `/kubepods.slice/crio-${id}.scope`, id],
  ['Podman', `/machine.slice/libpod-${id}.scope/container`, id],
  ['rootless Podman', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`, id],
  ['plain runc', `/${id}`, id],
  ['runc under systemd', `/system.slice/runc-${id}.scope`, id],
  ['systemd-nspawn', '/machine.slice/systemd-nspawn@web\\x2d1.service', 'web-1']
] as const) {
  test(`a container of ${engine} is recognised by its cgroup`, () => {
    assert.equal(containerIdIn(path), expected)
    assert.equal(containerIdIn(`${path}/a/b`), expected, 'and below it')
  })
}

test('the outermost container counts: a process inside cannot choose another id', () => {
  assert.equal(containerIdIn(`/docker/${id}/docker/${inner}`), id)
  assert.equal(containerIdIn(`/system.slice/docker-${id}.scope/docker-${inner}.scope`), id)
})

test('a name that no engine gives is no container', () => {
  for (const path of [
    `/user.slice/user-1000.slice/${id}`,
    `/system.slice/mine-${id}.scope`,
    `/system.slice/libpod-conmon-${id}.scope`,
    `/system.slice/crio-conmon-${id}.scope`,
    `/docker/${id}0`,
    `/docker/${id.slice(1)}`,
    `/user.slice/machine-web.scope`,
    ''
  ]) {
    assert.equal(containerIdIn(path), null, path)
  }
})

test('of several hierarchies the first that names a container counts', () => {
  assert.equal(containerIdIn(`/\n/docker/${id}`), id)
  assert.equal(containerIdIn(`/docker/${id}\n/docker/${inner}`), id)
})
