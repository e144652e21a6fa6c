#!/bin/bash
# One task of an array of jobs: sbatch array-task.sh <array file> <command …>
# Line n + 1 of the array file is what task n runs: a job's id, a tab, and the file of its attempt, which becomes the command's
# last word. Slurm signals the shell of a batch job and not what it runs, so the command takes the shell's place: it gets
# SIGTERM and SIGUSR1, and has the time that Slurm gives to save.
line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")
if [ -z "$line" ]; then
  echo "Expected a job in line $((SLURM_ARRAY_TASK_ID + 1)) of $1 but received none: do all nodes see this folder?" >&2
  exit 1
fi
shift
exec "$@" "${line#*$'\t'}"
