#!/bin/sh
# boot-debian.sh TREE WORK [GUEST=FOLDER…]: boots the systemd of a Debian tree in namespaces of its own. What it writes goes
# to memory, the tree stays as it is. WORK is an empty folder; the guest has FOLDER of this machine at GUEST.
# systemd gets a control group of its own below the version 2 hierarchy, which the kernel has wherever version 1 is mounted.
set -eu
if [ "${INSIDE:-}" = "" ]; then
    export INSIDE=outer
    exec unshare --mount --uts --ipc --net "$0" "$@"
fi
tree=$1 work=$2 root=$2/root
if [ "$INSIDE" = outer ]; then
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 hotitem "$work"
    mkdir "$work/groups" "$work/upper" "$work/overlay" "$root"
    mount -t cgroup2 hotitem "$work/groups"
    group=$work/groups/hotitem-$$
    mkdir "$group"
    echo $$ >"$group/cgroup.procs"
    INSIDE=inner setpriv --pdeathsig KILL unshare --cgroup --pid --fork --mount --kill-child "$0" "$@" &
    guest=$!
    echo $$ >"$work/groups/cgroup.procs"
    # Debian's poweroff in a container: SIGRTMIN+4 to its init.
    trap 'kill -38 $(cat "/proc/$guest/task/$guest/children")' TERM
    while kill -0 $guest 2>/dev/null; do wait $guest || true; done
    find "$group" -depth -type d -exec rmdir {} \;
    exit
fi
mount -t overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/overlay" hotitem "$root"
shift 2
for word; do
    mkdir -p "$root${word%%=*}"
    mount --bind "${word#*=}" "$root${word%%=*}"
done
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
# What belongs to a machine and not to a container.
for unit in console-getty systemd-modules-load; do ln -sf /dev/null "$root/etc/systemd/system/$unit.service"; done
mkdir "$root/machine"
cd "$root"
pivot_root . machine
umount -l /machine
rmdir /machine
exec env -i container=hotitem PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
