#!/bin/sh
# Boots systemd in new namespaces: boot.sh FOLDER PROJECT CGROUP. FOLDER is /opt/boot inside, with test.target in
# FOLDER/units; PROJECT is /opt/ringside. /run, /var/lib and /opt are tmpfs. CGROUP is the name of its control group. A kill
# ends everything inside.
set -eu

if [ "${4:-}" != inside ]; then
	for mount in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
		[ -e "$mount/cgroup.procs" ] || continue
		mkdir "$mount/$3"
		echo $$ >"$mount/$3/cgroup.procs"
	done
	exec unshare --cgroup --mount --pid --fork --kill-child --mount-proc --uts --ipc --propagation private \
		sh "$0" "$1" "$2" "$3" inside
fi

for folder in /run /var/lib; do mount -t tmpfs tmpfs $folder; done
mkdir -p /run/boot /run/project
mount --bind "$1" /run/boot
mount --bind "$2" /run/project
mount -t tmpfs tmpfs /opt
mkdir /opt/boot /opt/ringside
mount --move /run/boot /opt/boot
mount --move /run/project /opt/ringside

# The control groups of the new namespace: v1 and v2, or v2 only.
if [ -e /sys/fs/cgroup/systemd ]; then
	umount -l /sys/fs/cgroup
	mount -t tmpfs tmpfs /sys/fs/cgroup
	mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
	mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
else
	umount -l /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi

export container=other SYSTEMD_UNIT_PATH=/opt/boot/units
exec /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
