// Which faults, in which order: each alone, then in pairs.

const KINDS = ["fail", "lost", "hang", "late:600"];
const EFFECTS = {
  memory: ["SEEN.get", "SEEN.put"],
  queue: ["EVENTS.send", "EVENTS.sendBatch", "EVENTS_SLOW.send", "DEAD_LETTERS.send"],
  ledger: ["LEDGER.ask"],
  archive: ["ARCHIVE.put", "ARCHIVE.get", "ARCHIVE.head", "ARCHIVE.list", "ARCHIVE.delete"],
};

/** Every fault of one thing: `{ name, faults, backend, overloaded }`, as run.mjs carries it out. */
function singles() {
  const bindings = Object.entries(EFFECTS).flatMap(([name, effects]) =>
    KINDS.map((kind) => ({ of: name, name: `${name} ${kind}`, faults: (share) => effects.map((effect) => `${effect}=${kind}%${share}`) })),
  );
  const backend = [...KINDS, "late:1300", "limit", "refuse"].map((kind) => ({ of: "backend", name: `backend ${kind}`, faults: () => [], backend: kind }));
  const queue = [{ of: "queue", name: "queue overloaded", faults: () => [], overloaded: true }];
  return [...bindings, ...backend, ...queue];
}

function joined(left, right) {
  return {
    name: `${left.name} and ${right.name}`,
    faults: (share) => [...left.faults(share), ...right.faults(share)],
    backend: left.backend ?? right.backend,
    overloaded: left.overloaded || right.overloaded,
  };
}

/** Two faults of one thing would be one fault. */
const everyPair = (alone) =>
  alone.flatMap((left, index) => alone.slice(index + 1).filter(({ of }) => of !== left.of).map((right) => joined(left, right)));

const KILLS = [
  { name: "the gate is killed", faults: () => [], kill: "gate" },
  { name: "the queue is killed", faults: () => [], kill: "queue" },
  { name: "both are killed", faults: () => [], kill: "both" },
];

/**
 * The phases of a run. `single` and `pairs`: how many, of all; `kills`: how often each process dies, alone and beside a fault.
 * A fault befalls every call of its phase, or four in five: a whole outage and a shaky one are different roads.
 */
export function plan({ random, single, pairs, kills }) {
  const alone = singles();
  const killed = Array.from({ length: kills }, (_, turn) =>
    KILLS.map((kill) => (turn === 0 ? kill : { ...joined(kill, random.one(alone)), kill: kill.kill })),
  ).flat();
  const phases = [...random.shuffled(alone).slice(0, single), ...random.shuffled(everyPair(alone)).slice(0, pairs)];
  for (const kill of killed) phases.splice(random.below(phases.length), 0, kill);
  return phases.map(({ faults, ...phase }) => {
    const share = random.one([100, 100, 80]);
    return { ...phase, faults: faults(share).join(","), share };
  });
}

export const SINGLES_MAX = singles().length;
export const PAIRS_MAX = everyPair(singles()).length;
