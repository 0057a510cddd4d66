// Processor time and processor cores of a process.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

if (!existsSync("/proc/self/stat")) throw new Error("The benchmark reads processor times from /proc, so it needs Linux.");

/** Linux counts in hundredths of a second where it has no scheduler statistics. */
const TICK_NS = 10_000_000;

/** Processor time that a process has used so far, all its threads together, in nanoseconds. */
export function cpuOf(pid) {
  let total = 0;
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    }
  } catch {
    total = 0;
  }
  if (total > 0) return total;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_NS;
}

/** Keeps a process on one core. False: this system cannot. */
export const pin = (pid, core) => spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)]).status === 0;

/**
 * A core for what is measured and one for who measures, so that neither waits for the other. Undefined
 * where there is only one, or where processes cannot be kept on one.
 */
export function twoCores() {
  if (availableParallelism() < 2) return undefined;
  const said = spawnSync("taskset", ["-c", "-p", String(process.pid)]);
  if (said.status !== 0) return undefined;
  const cores = said.stdout
    .toString()
    .split(": ")
    .at(-1)
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  return cores.length < 2 ? undefined : { measured: cores.at(-1), measuring: cores[0] };
}
