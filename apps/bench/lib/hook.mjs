// Preloaded into every Node process under test. SIGUSR2 collects garbage, so that memory per connection can be read off
// RSS; SIGWINCH (which no process minds) begins a CPU profile, and ends it the next time.
import { writeFileSync } from "node:fs";
import inspector from "node:inspector";
import v8 from "node:v8";
import vm from "node:vm";

process.on("SIGUSR2", () => {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  collect();
  collect();
});

let session = null;
process.on("SIGWINCH", () => {
  if (session) {
    session.post("Profiler.stop", (error, result) => {
      if (!error) writeFileSync(process.env.BENCH_PROFILE, JSON.stringify(result.profile));
      session.disconnect();
      session = null;
    });
  } else if (process.env.BENCH_PROFILE) {
    session = new inspector.Session();
    session.connect();
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: 250 });
    session.post("Profiler.start");
  }
});
