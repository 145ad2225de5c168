//===- RecurrenceTest.cpp - recurrence against loops ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests kernel.recurrence, split and expanded: units that fill no
// vector or panel, several rows, directions, states and long chains.

#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

struct RecurrenceCase {
  int64_t steps, batch, hidden, gates, states = 1;
  std::vector<bool> reverse = {false};
  bool params = false;
};

/// The cell of the tests, bounded so that nothing grows: the first state is
/// half the sum of products and inputs, weighted by the number of their gate,
/// plus a quarter of the last state and the param; the others take turns.
std::string cellText(const RecurrenceCase &c) {
  std::string text;
  auto line = [&](const std::string &op) { text += "      " + op + "\n"; };
  line("%half = arith.constant 0.5 : f32");
  line("%quarter = arith.constant 0.25 : f32");
  line("%s0 = arith.mulf %q" + std::to_string(c.states - 1) +
       ", %quarter : f32");
  int64_t last = 0;
  auto add = [&](const std::string &value) {
    line("%s" + std::to_string(last + 1) + " = arith.addf %s" +
         std::to_string(last) + ", " + value + " : f32");
    ++last;
  };
  for (int64_t g = 0; g < c.gates; ++g) {
    std::string n = std::to_string(g);
    line("%t" + n + " = arith.addf %p" + n + ", %x" + n + " : f32");
    line("%w" + n + " = arith.constant " + std::to_string(0.5 / double(g + 1)) +
         " : f32");
    line("%u" + n + " = arith.mulf %t" + n + ", %w" + n + " : f32");
    add("%u" + n);
  }
  if (c.params)
    add("%m0");
  line("%n0 = arith.mulf %s" + std::to_string(last) + ", %half : f32");
  text += "      kernel.yield %n0";
  for (int64_t s = 1; s < c.states; ++s)
    text += ", %q" + std::to_string(s - 1);
  for (int64_t s = 0; s < c.states; ++s)
    text += s == 0 ? " : f32" : ", f32";
  return text + "\n";
}

double cell(const RecurrenceCase &c, const double *products,
            const double *inputs, const double *states, double param) {
  double sum = states[c.states - 1] / 4 + (c.params ? param : 0);
  for (int64_t g = 0; g < c.gates; ++g)
    sum += (products[g] + inputs[g]) * (0.5 / double(g + 1));
  return sum / 2;
}

void checkRecurrence(const TargetInfo &target, const RecurrenceCase &c) {
  expand::RecurrenceTile tile =
      expand::chooseRecurrenceTile(target, c.gates, c.batch, c.hidden);
  int64_t lanes = target.lanes(4), units = tile.vectors * lanes,
          directions = c.reverse.size(), panels = up(c.hidden, units),
          width = directions * c.hidden;
  Array x(c.steps * c.batch * directions * c.gates * c.hidden, 1),
      r(directions * c.gates * c.hidden * c.hidden, 2),
      param(directions * c.hidden, 3), y(c.steps * c.batch * width),
      scratch(2 * c.batch * c.hidden);
  // Sums of `hidden` terms stay small.
  for (int64_t i = 0; i < r.size(); ++i)
    r[i] /= float(c.hidden);
  Array packed(directions * panels * c.hidden * units * c.gates);
  int64_t at = 0;
  for (int64_t d = 0; d < directions; ++d)
    for (int64_t p = 0; p < panels; ++p)
      for (int64_t k = 0; k < c.hidden; ++k)
        for (int64_t v = 0; v < tile.vectors; ++v)
          for (int64_t g = 0; g < c.gates; ++g)
            for (int64_t l = 0; l < lanes; ++l, ++at) {
              int64_t unit = p * units + v * lanes + l;
              packed[at] =
                  unit < c.hidden
                      ? r[((d * c.gates + g) * c.hidden + unit) * c.hidden + k]
                      : 0.0f;
            }
  std::vector<Array> initial, final;
  for (int64_t s = 0; s < c.states; ++s) {
    initial.emplace_back(directions * c.batch * c.hidden, unsigned(4 + s));
    final.emplace_back(directions * c.batch * c.hidden);
  }

  std::vector<double> expected(y.size());
  std::vector<std::vector<double>> last(c.states,
                                        std::vector<double>(final[0].size()));
  for (int64_t d = 0; d < directions; ++d)
    for (int64_t b = 0; b < c.batch; ++b) {
      std::vector<std::vector<double>> state(c.states);
      for (int64_t s = 0; s < c.states; ++s)
        for (int64_t u = 0; u < c.hidden; ++u)
          state[s].push_back(initial[s][(d * c.batch + b) * c.hidden + u]);
      for (int64_t i = 0; i < c.steps; ++i) {
        int64_t t = c.reverse[d] ? c.steps - 1 - i : i;
        std::vector<double> next(c.hidden);
        for (int64_t u = 0; u < c.hidden; ++u) {
          std::vector<double> products(c.gates), inputs(c.gates),
              states(c.states);
          for (int64_t g = 0; g < c.gates; ++g) {
            for (int64_t k = 0; k < c.hidden; ++k)
              products[g] +=
                  state[0][k] *
                  r[((d * c.gates + g) * c.hidden + u) * c.hidden + k];
            inputs[g] =
                x[((t * c.batch + b) * directions + d) * c.gates * c.hidden +
                  g * c.hidden + u];
          }
          for (int64_t s = 0; s < c.states; ++s)
            states[s] = state[s][u];
          next[u] = cell(c, products.data(), inputs.data(), states.data(),
                         param[d * c.hidden + u]);
          expected[(t * c.batch + b) * width + d * c.hidden + u] = next[u];
        }
        state.insert(state.begin(), next);
        state.pop_back();
      }
      for (int64_t s = 0; s < c.states; ++s)
        for (int64_t u = 0; u < c.hidden; ++u)
          last[s][(d * c.batch + b) * c.hidden + u] = state[s][u];
    }

  std::string tx = memref({c.steps, c.batch, directions * c.gates * c.hidden}),
              tr = memref(
                  {directions, panels, c.hidden, tile.vectors, c.gates, lanes}),
              ts = memref({directions, c.batch, c.hidden}),
              tm = memref({directions, c.hidden}),
              ty = memref({c.steps, c.batch, width}),
              tc = memref({2, c.batch, c.hidden});
  std::string text = "func.func @main(%x: " + tx + ", %r: " + tr +
                     ", %y: " + ty + ", %c: " + tc + ", %m: " + tm;
  std::string in, out, types, block;
  for (int64_t s = 0; s < c.states; ++s) {
    std::string n = std::to_string(s), comma = s == 0 ? "" : ", ";
    text += ", %i" + n + ": " + ts + ", %f" + n + ": " + ts;
    in += comma + "%i" + n;
    out += ", %f" + n;
    types += comma + ts;
  }
  auto arguments = [&](const std::string &name, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      block += (block.empty() ? "" : ", ") + name + std::to_string(i) + ": f32";
  };
  arguments("%p", c.gates);
  arguments("%x", c.gates);
  arguments("%q", c.states);
  arguments("%m", c.params ? 1 : 0);
  std::string reverse;
  for (bool value : c.reverse)
    reverse +=
        std::string(reverse.empty() ? "" : ", ") + (value ? "true" : "false");
  text += ") {\n kernel.recurrence ins(%x, %r : " + tx + ", " + tr +
          ") initial(" + in + " : " + types + ")";
  if (c.params)
    text += " params(%m : " + tm + ")";
  text += " outs(%y" + out + ", %c : " + ty + ", " + types + ", " + tc +
          ") attributes {gates = " + std::to_string(c.gates) +
          " : i64, reverse = array<i1: " + reverse +
          ">, mr = " + std::to_string(tile.mr) + " : i64} {\n    ^bb0(" +
          block + "):\n" + cellText(c) + "    }\n return\n}\n";
  std::vector<void *> pointers{x.data(), packed.data(), y.data(),
                               scratch.data(), param.data()};
  for (int64_t s = 0; s < c.states; ++s)
    pointers.insert(pointers.end(), {initial[s].data(), final[s].data()});
  run(text, target, pointers);
  std::string what =
      target.name + " recurrence of " + std::to_string(c.hidden) + " units, " +
      std::to_string(c.gates) + " gates, batch " + std::to_string(c.batch);
  EXPECT_TRUE(y.marginIntact() && scratch.marginIntact()) << what;
  expectNear(y, expected, 1e-5, what);
  for (int64_t s = 0; s < c.states; ++s) {
    EXPECT_TRUE(final[s].marginIntact()) << what;
    expectNear(final[s], last[s], 1e-5, what + ", last state");
  }
}

void checkAll(const RecurrenceCase &c) {
  for (const TargetInfo &target : targets())
    checkRecurrence(target, c);
}

TEST(Recurrence, Units) {
  for (int64_t hidden : {1, 5, 16, 37, 64})
    checkAll(
        {.steps = 4, .batch = 1, .hidden = hidden, .gates = 4, .states = 2});
}

TEST(Recurrence, Gates) {
  for (int64_t gates : {1, 3})
    checkAll({.steps = 3, .batch = 1, .hidden = 40, .gates = gates});
}

TEST(Recurrence, Batch) {
  for (int64_t batch : {2, 7})
    checkAll(
        {.steps = 3, .batch = batch, .hidden = 20, .gates = 4, .states = 2});
}

TEST(Recurrence, DirectionsAndParams) {
  checkAll({.steps = 5,
            .batch = 2,
            .hidden = 18,
            .gates = 3,
            .reverse = {false, true},
            .params = true});
  checkAll({.steps = 4,
            .batch = 1,
            .hidden = 18,
            .gates = 4,
            .states = 2,
            .reverse = {true},
            .params = true});
}

TEST(Recurrence, OneStep) {
  checkAll({.steps = 1, .batch = 1, .hidden = 24, .gates = 4, .states = 2});
}

TEST(Recurrence, SeveralChains) {
  checkAll({.steps = 2, .batch = 1, .hidden = 1700, .gates = 1});
}

} // namespace
