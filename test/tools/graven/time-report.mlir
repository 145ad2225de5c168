// Where the time of a compile goes: a table on standard error, a tree in the JSON report, nothing unless asked for.
// RUN: graven compile %s -o %t.so --time-report 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: graven compile %s -o %t.so --time-report --json | FileCheck %s --check-prefix=JSON
// RUN: graven compile %s -o %t.so --json | FileCheck %s --check-prefix=NONE
// TABLE: wall s     cpu s  peak MiB  what
// TABLE: {{[0-9.]+ +[0-9.]+ +[0-9.]+}}  total
// TABLE: {{[0-9.]+ +[0-9.]+}} {{.*}}  kernel phase
// TABLE: {{[0-9.]+ +[0-9.]+}} {{.*}}  machine code
// JSON: "time": {
// JSON: "name": "graph phase"
// JSON: "name": "machine code"
// JSON: "name": "write"
// JSON: "cpu_seconds": {{[0-9.e-]+}}
// JSON: "name": "total"
// JSON-NEXT: "peak_bytes": {{[0-9]+}}
// JSON-NEXT: "wall_seconds": {{[0-9.e-]+}}
// NONE-NOT: "time"
graven.graph @forward(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x8xf32> {graven.name = "y"}) {
  %0 = graven.tanh %x : tensor<2x8xf32>
  graven.return %0 : tensor<2x8xf32>
}
