#!/bin/bash
# Starts a Ceph object gateway with everything it needs, in memory, below the folder $1 and on 127.0.0.1:$2 (8082).
# Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-mgr. Tried with 16.2.15.
# Keys: AKIATEST / secretsecret. Takes about 15 s and 500 MB. cephx must be on: with "none" radosgw never starts.
# Stop it with stop-rgw.sh.
set -e
root=$1
port=${2:-8082}
mkdir -p "$root"
cd "$root"
rm -rf mon osd mgr rgw run keyring
mkdir mon osd mgr rgw run
uuid() { cat /proc/sys/kernel/random/uuid; }
cluster=$(uuid)
cat >ceph.conf <<CONF
[global]
fsid = $cluster
mon_host = [v2:127.0.0.1:$((port + 10000)),v1:127.0.0.1:$((port + 10001))]
mon_initial_members = a
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
mon_allow_pool_size_one = true
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_crush_chooseleaf_type = 0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
log_file = $root/run/\$name.log
pid_file = $root/run/\$name.pid
admin_socket = $root/run/\$name.asok
run_dir = $root/run
mon_data = $root/mon
osd_data = $root/osd
mgr_data = $root/mgr
rgw_data = $root/rgw
keyring = $root/keyring
[client.rgw.a]
keyring = $root/keyring
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_dns_name = s3.localhost
rgw_enable_usage_log = false
CONF
ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
for name in client.admin client.rgw.a osd.0 mgr.x; do
  ceph-authtool keyring --gen-key -n $name --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
done
monmaptool --create --addv a "[v2:127.0.0.1:$((port + 10000)),v1:127.0.0.1:$((port + 10001))]" --fsid "$cluster" run/monmap >/dev/null
export CEPH_CONF=$root/ceph.conf
ceph-mon --mkfs -i a --monmap run/monmap --keyring keyring
ceph-mon -i a
for _ in $(seq 20); do timeout 5 ceph -s >/dev/null 2>&1 && break; sleep 0.5; done
disk=$(uuid)
ceph osd new "$disk" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$disk"
ceph-osd -i 0
ceph-mgr -i x
timeout 60 radosgw-admin user create --uid=t --display-name=t --access-key=AKIATEST --secret=secretsecret -n client.rgw.a >/dev/null
radosgw -n client.rgw.a
for _ in $(seq 60); do
  (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && exit 0
  sleep 0.5
done
echo "radosgw does not answer; see $root/run" >&2
exit 1
