"""With one of two providers dead: calls per second after one second, as a share of before. `scripts/soak dead`.

    tests/bench/process/dead_provider.py [--build DIR] [--fill first|weight|latency]
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gateway import GATEWAY_CPU, REST_CPU, Program, free_port  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


def load(build, port, seconds):
    done = subprocess.run(
        [build / "bench_load", "plain", "--port", str(port), "--connections", "32", "--seconds", str(seconds), "--requests", "1000000000",
         "--model", "bench-plain"],
        capture_output=True, text=True, timeout=seconds + 30)  # it ends with 1 where a call failed: those are counted below
    return json.loads(done.stdout)


def find(build, name):
    return next(path for path in build.rglob(name) if path.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--fill", default="weight")
    options = parser.parse_args()
    tools = find(options.build, "bench_load").parent
    with tempfile.TemporaryDirectory() as name:
        folder, programs = Path(name), []
        try:
            ports = [free_port(), free_port()]
            for port in ports:
                programs.append(Program([str(find(options.build, "bench_mock")), str(port)], REST_CPU, folder / f"{port}.log"))
                programs[-1].wait_for_port(port)
            listen = free_port()
            settings = folder / "weir.yaml"
            providers = {f"p{i}": {"base_url": f"http://127.0.0.1:{port}/v1"} for i, port in enumerate(ports)}
            places = [{"provider": f"p{i}", "id": "bench-plain"} for i in range(2)]
            settings.write_text(json.dumps({
                "listen": f"127.0.0.1:{listen}", "admin": {"listen": f"127.0.0.1:{free_port()}"}, "threads": 1,
                "providers": providers, "models": {"bench-plain": {"deployments": places, "fill": options.fill}},
                "log": {"to": str(folder / "calls.log")}}))
            programs.append(Program([str(options.build / "weir"), "serve", "--config", str(settings)], GATEWAY_CPU,
                                    folder / "weir.log"))
            programs[-1].wait_for_port(listen)
            pid = programs[-1].process.pid

            def measured(seconds):
                begun = time.clock_gettime_ns((~pid << 3) | 2)  # the process's CPU clock
                result = load(tools, listen, seconds)
                result["cpu"] = (time.clock_gettime_ns((~pid << 3) | 2) - begun) / 1000 / max(1, result["calls"])
                return result

            load(tools, listen, 1)
            before = measured(3)
            programs[0].process.kill()
            killed = time.monotonic()
            first = load(tools, listen, 1)
            after = measured(3)
            share = after["calls_per_second"] / before["calls_per_second"]
            print(f"before: {before['calls_per_second']} calls/s, p99 {before['latency_us']['p99']} us, "
                  f"{before['cpu']:.1f} us CPU a call, {before['errors']} errors")
            print(f"first second: {first['calls_per_second']} calls/s, {first['errors']} errors {first['first_error']}")
            print(f"from {1.0:.1f} s to {time.monotonic() - killed:.1f} s after: {after['calls_per_second']} calls/s, "
                  f"p99 {after['latency_us']['p99']} us, {after['cpu']:.1f} us CPU a call, {after['errors']} errors")
            print(f"share of before: {share:.2f} (wanted: 0.9)")
            return 0 if share >= 0.9 and after["errors"] == 0 else 1
        finally:
            for program in programs:
                program.stop()


if __name__ == "__main__":
    sys.exit(main())
