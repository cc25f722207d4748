#!/usr/bin/env bash
# One node of SLURM on this machine, for tests/jobs/test_runners.py: `slurm_node.sh start FOLDER`,
# `export SLURM_CONF=FOLDER/slurm.conf`, and in the end `slurm_node.sh stop FOLDER`. As root, behind
# `apt-get install slurmctld slurmd slurm-client munge` of Debian. All state and logs are in FOLDER.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$2"
folder=$(cd "$2" && pwd)
export SLURM_CONF=$folder/slurm.conf

start() {
  mkdir -p "$folder/state" "$folder/spool"
  cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$(hostname -s)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
NodeName=$(hostname -s) CPUs=$(nproc) State=UNKNOWN
PartitionName=one Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  munge -n >/dev/null 2>&1 || {
    install -d -o munge -g munge /run/munge
    runuser -u munge -- munged --pid-file=/run/munge/munged.pid
    cp /run/munge/munged.pid "$folder/munged.pid"
  }
  slurmctld
  slurmd
  for _ in {1..60}; do
    if [ "$(sinfo --noheader --format=%t)" = idle ]; then return; fi
    sleep 0.5
  done
  echo "no idle node: see the logs in $folder" >&2
  return 1
}

stop() {
  for daemon in slurmd slurmctld munged; do
    if [ -e "$folder/$daemon.pid" ]; then kill "$(cat "$folder/$daemon.pid")"; fi
  done
}

"$1"
