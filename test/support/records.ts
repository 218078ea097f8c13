// One record of each schema with every kind of value in it.
import type { Records } from '../../wire/codec.ts'

export const samples: Records = {
  EventBatch: {
    host: 'web-1',
    boot: '6f0c6a3e-4b7a-4f0f-9d55-0a3a3c1b2d4e',
    agent: '0.1.0',
    run: '0b8f2f5e-2c51-4c39-9c3f-2f1f6a6f6d10',
    batch: 7,
    continues: { run: '8c0f2f5e-2c51-4c39-9c3f-2f1f6a6f6d11', batch: 41 },
    final: false,
    clock: { monotonic_us: 5_000_000, wall_us: 1_769_860_800_000_000 },
    counted_until_us: 4_990_000,
    sequences: [
      { cpu: 0, first: 1001, last: 1004 },
      { cpu: 1, first: 2001, last: 2001 }
    ],
    drops: [
      { class: 'network', reason: 'ring_full', count: 1 },
      { class: 'io', reason: 'backlog_full', count: 1 }
    ],
    processes: [
      {
        pid: 100,
        start_us: 1_000_000,
        ppid: 1,
        uid: 1000,
        comm: 'curl',
        exe: '/usr/bin/curl',
        container_id: null,
        cgroup_id: 77
      },
      {
        pid: 200,
        start_us: 2_000_000,
        ppid: 100,
        uid: 4_294_967_294,
        comm: 'naïve\ufffd',
        exe: null,
        container_id: '0123456789abcdef'.repeat(4),
        cgroup_id: 2 ** 53 - 2
      }
    ],
    sockets: [
      {
        family: 2,
        type: 1,
        protocol: 6,
        netns: 4_026_531_840,
        local_address: Buffer.from([10, 0, 0, 5]),
        local_port: 40_000,
        remote_address: Buffer.from([203, 0, 113, 7]),
        remote_port: 443
      },
      {
        family: 1,
        type: 1,
        protocol: 0,
        netns: 4_026_531_840,
        local_address: Buffer.alloc(0),
        local_port: 0,
        remote_address: Buffer.alloc(0),
        remote_port: 0
      }
    ],
    events: [
      {
        kind: 'syscall',
        syscall: 'connect',
        process: 0,
        socket: 0,
        cpu: 0,
        seq: 1001,
        time_offset_ns: -1_234_567,
        duration_ns: 30_500,
        tid: 101,
        ret: -111,
        fd: 5,
        path: null,
        path_truncated: false,
        call: null,
        path_to: null,
        arg: -1,
        target_pid: -1
      },
      {
        kind: 'exec',
        syscall: 'none',
        process: 1,
        socket: -1,
        cpu: 0,
        seq: 1002,
        time_offset_ns: 250,
        duration_ns: 0,
        tid: 200,
        ret: 0,
        fd: -1,
        path: '/usr/local/bin/naïve',
        path_truncated: true,
        call: null,
        path_to: null,
        arg: -1,
        target_pid: -1
      },
      {
        kind: 'syscall',
        syscall: 'read',
        process: 1,
        socket: 1,
        cpu: 1,
        seq: 2001,
        time_offset_ns: -(2 ** 52),
        duration_ns: 2 ** 53 - 2,
        tid: 200,
        ret: 4096,
        fd: 0,
        path: null,
        path_truncated: false,
        call: 'io_uring_renameat',
        path_to: '/srv/new',
        arg: 35,
        target_pid: -1
      }
    ],
    summaries: [
      {
        process: 0,
        syscall: 'read',
        call: null,
        class: 'io',
        seq: 12,
        time_offset_ns: -5_000_000,
        duration_ns: 1_000_000_000,
        count: 4,
        errors: 1,
        total_ns: 9_000,
        bytes: 12_288,
        latency: [
          { index: 320, count: 3 },
          { index: 370, count: 1 }
        ],
        sizes: [{ index: 384, count: 3 }],
        errnos: [{ index: 11, count: 1 }]
      }
    ],
    ledger: {
      monotonic_us: 4_999_000,
      untold: 0,
      uncounted: 2,
      classes: [{ class: 'io', off: 10, counted: 4, emitted: 3, dropped: 1, published: 2, spooled: 1 }],
      steps: [{ class: 'io', mode: 'count', reason: 'over the budget of 3%', monotonic_us: 4_500_000 }]
    }
  },
  Rollup: {
    host: 'web-1',
    workload: '/usr/bin/curl',
    pid: 100,
    start_us: 1_000_000,
    comm: 'curl',
    exe: '/usr/bin/curl',
    container_id: null,
    syscall: 'read',
    window_start: 1_769_860_800_000_000,
    window_ms: 1000,
    revision: 1,
    count: 500,
    errors: 3,
    bytes: 65_536,
    total_ns: 1_000_000,
    p50_ns: 1_500,
    p95_ns: 6_000,
    p99_ns: 9_000,
    max_ns: 12_345
  },
  Alert: {
    id: '9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d',
    revision: 2,
    rule: 'connect-external',
    rule_version: 1,
    title: 'Connects to addresses outside',
    attack: 'T1071',
    severity: 'warning',
    host: 'web-1',
    entity: '/usr/bin/curl',
    workload: '/usr/bin/curl',
    exe: '/usr/bin/curl',
    comm: 'curl',
    pid: 100,
    first_seen: 1_769_860_800_000_001,
    last_seen: 1_769_860_805_000_000,
    count: 21,
    explanation: 'curl connected to 203.0.113.7:443 and 20 more within 5 s.',
    reasons: [{ condition: 'count within 10 s', value: '21', threshold: '20' }],
    evidence: [{ host: 'web-1', boot: '6f0c6a3e-4b7a-4f0f-9d55-0a3a3c1b2d4e', cpu: 0, seq: 1001 }],
    lost_events: 0
  },
  AuditRecord: {
    time: 1_769_860_799_998_765,
    time_ns: 433,
    host: 'web-1',
    boot: '6f0c6a3e-4b7a-4f0f-9d55-0a3a3c1b2d4e',
    cpu: 0,
    seq: 1001,
    kind: 'syscall',
    syscall: 'connect',
    pid: 100,
    tid: 101,
    ppid: 1,
    start_us: 1_000_000,
    comm: 'curl',
    exe: '/usr/bin/curl',
    uid: 1000,
    container_id: null,
    ret: -111,
    errno: 'ECONNREFUSED',
    duration_ns: 30_500,
    fd: 5,
    bytes: null,
    path: null,
    family: 'ipv4',
    protocol: 'tcp',
    local_address: '10.0.0.5',
    local_port: 40_000,
    remote_address: '203.0.113.7',
    remote_port: 443,
    netns: 4_026_531_840,
    path_to: null,
    arg: null,
    target_pid: null
  }
}
