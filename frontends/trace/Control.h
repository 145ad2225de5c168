//===- Control.h - branches and loops of a traced program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares control flow on data: C++'s own `if` and `for` decide
// while the model is recorded, these decide when it runs. What a branch gives
// and what a loop carries is a State: a Tensor, a std::vector of them, or a
// std::tuple of them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TRACE_CONTROL_H
#define FRONTENDS_TRACE_CONTROL_H

#include "frontends/trace/Trace.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <tuple>
#include <utility>

namespace graven::trace {

namespace control {

using Tensors = std::vector<Tensor>;

inline Tensors pack(const Tensor &state) { return {state}; }
inline Tensors pack(const Tensors &state) { return state; }
template <class... Ts> Tensors pack(const std::tuple<Ts...> &state) {
  return std::apply([](const auto &...items) { return Tensors{items...}; },
                    state);
}

template <class State> State unpack(const Tensors &tensors) {
  if constexpr (std::same_as<State, Tensor>) {
    return tensors.front();
  } else if constexpr (std::same_as<State, Tensors>) {
    return tensors;
  } else {
    return [&]<size_t... i>(std::index_sequence<i...>) {
      return State(tensors[i]...);
    }(std::make_index_sequence<std::tuple_size_v<State>>());
  }
}

Tensors branch(const Tensor &condition, llvm::function_ref<Tensors()> then,
               llvm::function_ref<Tensors()> otherwise,
               std::source_location at);

/// What one walk of a loop's body gives.
struct Iteration {
  Tensor proceed; ///< none: always
  Tensors carried, slices;
};
using LoopBody =
    llvm::function_ref<Iteration(const Tensor &index, const Tensors &carried)>;

/// Final values of what is carried, and the slices stacked.
std::pair<Tensors, Tensors> loop(const Tensor &trips, const Tensor &condition,
                                 const Tensors &initial, LoopBody body,
                                 std::source_location at);

/// A number of iterations as a tensor of the graph that `near` belongs to.
Tensor count(int64_t trips, const Tensors &near, std::source_location at);

} // namespace control

/// What `then()` gives where the condition, one element, is not 0 when the
/// model runs, else what `otherwise()` gives; both are recorded, and give
/// equal types.
///
///   Tensor y = if_(sum(x) > 0, [&] { return relu(x); }, [&] { return -x; });
template <class Then, class Else>
auto if_(const Tensor &condition, Then then, Else otherwise,
         std::source_location at = std::source_location::current()) {
  using State = std::invoke_result_t<Then>;
  static_assert(std::same_as<State, std::invoke_result_t<Else>>,
                "both branches give the same kind of result");
  return control::unpack<State>(control::branch(
      condition, [&] { return control::pack(then()); },
      [&] { return control::pack(otherwise()); }, at));
}

/// Runs `state = body(i, state)` for i = 0, 1, ... `trips` times: a number, or
/// one element of an integer type, known when the model runs. `i` is an i64
/// tensor without axes. What is carried keeps its types.
///
///   Tensor h = loop(steps, h0, [&](Tensor i, Tensor h) { return cell(h); });
template <class State, class Body>
State loop(const Tensor &trips, const State &initial, Body body,
           std::source_location at = std::source_location::current()) {
  return control::unpack<State>(
      control::loop(
          trips, {}, control::pack(initial),
          [&](const Tensor &i, const control::Tensors &carried) {
            return control::Iteration{
                {},
                control::pack(body(i, control::unpack<State>(carried))),
                {}};
          },
          at)
          .first);
}
template <class State, class Body>
State loop(int64_t trips, const State &initial, Body body,
           std::source_location at = std::source_location::current()) {
  return loop(control::count(trips, control::pack(initial), at), initial,
              std::move(body), at);
}

/// Runs `state = body(state)` while `condition(state)`, one element, is not 0;
/// it is asked before the first time.
template <class State, class Condition, class Body>
State loopWhile(const State &initial, Condition condition, Body body,
                std::source_location at = std::source_location::current()) {
  return control::unpack<State>(
      control::loop(
          {}, condition(initial), control::pack(initial),
          [&](const Tensor &, const control::Tensors &carried) {
            State next = body(control::unpack<State>(carried));
            return control::Iteration{condition(next), control::pack(next), {}};
          },
          at)
          .first);
}

/// As `loop`, with a body that gives a pair: the next state, and a Tensor of
/// which those of all iterations are stacked on a new first axis.
///
///   auto [h, ys] = scan(steps, h0, [&](Tensor i, Tensor h) {
///     Tensor next = cell(select(x, 0, i), h);
///     return std::pair(next, next);
///   });
template <class State, class Body>
std::pair<State, Tensor>
scan(int64_t trips, const State &initial, Body body,
     std::source_location at = std::source_location::current()) {
  control::Tensors carried = control::pack(initial);
  auto [last, stacked] = control::loop(
      control::count(trips, carried, at), {}, carried,
      [&](const Tensor &i, const control::Tensors &state) {
        auto [next, slice] = body(i, control::unpack<State>(state));
        return control::Iteration{{}, control::pack(next), {slice}};
      },
      at);
  return {control::unpack<State>(last), stacked.front()};
}

} // namespace graven::trace

#endif // FRONTENDS_TRACE_CONTROL_H
