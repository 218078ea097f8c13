#!/bin/busybox sh
# PID 1 of the guest: mounts the host's files read-only below an overlay in memory, runs /guest.sh there, and powers off.
busybox=/bin/busybox
$busybox mkdir -p /proc /sys /dev /host /layer /joined /sbin
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
$busybox mount -t devtmpfs dev /dev
$busybox depmod
for module in $($busybox cat /modules); do
  $busybox modprobe "$module" 2>/dev/null # or it is built in
done
$busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host
$busybox mount -t tmpfs layer /layer
$busybox mkdir /layer/upper /layer/work
$busybox mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /joined
for folder in proc sys dev; do
  $busybox mount --move /$folder /joined/$folder
done
guest=$($busybox cat /guest.sh)
exec $busybox switch_root /joined /bin/sh -c "
  mkdir -p /dev/pts /dev/shm
  mount -t devpts pts /dev/pts
  mount -t bpf bpf /sys/fs/bpf
  mount -t tracefs trace /sys/kernel/tracing
  mount -t cgroup2 cgroup /sys/fs/cgroup
  ip link set lo up
  stty -F /dev/ttyS1 raw
  $guest
  echo o >/proc/sysrq-trigger
  while :; do :; done
"
