// What processor time a process has had so far, all of its threads: Linux alone says it to the nanosecond.

import * as fs from 'node:fs';

/** In microseconds, of user and system; undefined where the system does not tell. */
export function processorTime(process) {
  let threads;
  try {
    threads = fs.readdirSync(`/proc/${process}/task`);
  } catch {
    return undefined;
  }
  let nanoseconds = 0;
  for (const thread of threads) {
    try {
      // The kernel's `Documentation/scheduler/sched-stats.rst`: time on the processor comes first.
      nanoseconds += Number(fs.readFileSync(`/proc/${process}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]);
    } catch {
      // A thread has ended between the two readings, or the kernel keeps no such account.
      return undefined;
    }
  }
  return nanoseconds / 1000;
}
