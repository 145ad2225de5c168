// The reducer reads graven IR and runs graven passes.
// RUN: graven-reduce --help | FileCheck %s
// CHECK: USAGE: graven-reduce
// CHECK: --opt-reduction-pass
