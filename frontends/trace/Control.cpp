//===- Control.cpp - branches and loops of a traced program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements control flow on data: each body is recorded into a
// Block of its own, and the Node is made of them when they agree.
//
//===----------------------------------------------------------------------===//

#include "frontends/trace/Control.h"

#include "frontends/trace/Recorder.h"

using namespace graven;
using namespace graven::trace;
using control::Tensors;

namespace {

/// The bodies of one Node.
class Bodies {
public:
  Bodies(Trace::Recorder &recorder, std::source_location at)
      : recorder(recorder), builder(recorder.builder()),
        loc(recorder.place(at)) {}

  /// Records into a Block of `region`, with arguments of those types.
  void record(mlir::Region &region, llvm::ArrayRef<mlir::Type> types,
              llvm::function_ref<void(mlir::Block &)> body) {
    mlir::OpBuilder::InsertionGuard guard(builder);
    llvm::SmallVector<mlir::Location> places(types.size(), loc);
    mlir::Block *block =
        builder.createBlock(&region, region.end(), types, places);
    recorder.open.push_back(block);
    body(*block);
    recorder.open.pop_back();
  }

  /// The values of tensors, read in the Block that is being recorded; whether
  /// all have one.
  bool read(const Tensors &tensors,
            llvm::SmallVectorImpl<mlir::Value> &values) {
    bool ok = true;
    for (const Tensor &tensor : tensors) {
      values.push_back(recorder.read(tensor, loc));
      ok &= static_cast<bool>(values.back());
    }
    return ok;
  }

  /// One element as an element of that type without axes; null on failure.
  mlir::Value element(const Tensor &tensor, const char *what, bool isBool) {
    mlir::Value value = recorder.read(tensor, loc);
    if (!value)
      return {};
    aten::Emitter emitter(builder, loc);
    if (emitter.type(value).getNumElements() != 1 ||
        (!isBool && emitter.isFloat(value))) {
      fail() << what << " is " << value.getType() << ", expected one "
             << (isBool ? "element" : "int");
      return {};
    }
    value = emitter.reshape(value, {});
    return isBool ? emitter.toBool(value)
                  : emitter.cast(value, aten::ScalarType::Long);
  }

  mlir::InFlightDiagnostic fail() {
    return recorder.error(loc, Code::UnsupportedFeature);
  }
  /// Keeps the bodies of what failed, and gives as many Tensors.
  Tensors discard(std::initializer_list<mlir::Region *> regions, size_t count) {
    recorder.failed = true;
    for (mlir::Region *region : regions)
      recorder.discarded.emplace_back().takeBody(*region);
    return Tensors(count, recorder.invalid());
  }
  Tensors give(mlir::ValueRange values) {
    Tensors tensors;
    for (mlir::Value value : values)
      tensors.push_back(recorder.make(value));
    return tensors;
  }

  Trace::Recorder &recorder;
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace

Tensors control::branch(const Tensor &condition,
                        llvm::function_ref<Tensors()> then,
                        llvm::function_ref<Tensors()> otherwise,
                        std::source_location at) {
  if (condition.isNone()) {
    Tensors results = then();
    return Tensors(results.size());
  }
  Bodies bodies(condition.trace()->recorder(), at);
  mlir::Value decides = bodies.element(condition, "the condition", true);
  mlir::Region regions[2];
  llvm::SmallVector<mlir::Value> yielded[2];
  bool ok = static_cast<bool>(decides);
  size_t count = 0;
  for (auto [i, body] : llvm::enumerate(std::array{then, otherwise}))
    bodies.record(regions[i], {}, [&](mlir::Block &) {
      Tensors results = body();
      count = std::max(count, results.size());
      ok &= bodies.read(results, yielded[i]);
      if (ok)
        YieldOp::create(bodies.builder, bodies.loc, yielded[i]);
    });
  if (!ok)
    return bodies.discard({&regions[0], &regions[1]}, count);
  llvm::SmallVector<mlir::Type> types[2];
  for (size_t i = 0; i < 2; ++i)
    llvm::append_range(types[i], mlir::ValueRange(yielded[i]).getTypes());
  if (types[0] != types[1]) {
    bodies.fail() << "the branches give (" << types[0] << ") and (" << types[1]
                  << "), expected equal types";
    return bodies.discard({&regions[0], &regions[1]}, count);
  }
  auto op = IfOp::create(bodies.builder, bodies.loc, types[0], decides);
  op.getThenBlock().takeBody(regions[0]);
  op.getElseBlock().takeBody(regions[1]);
  return bodies.give(op.getResults());
}

Tensor control::count(int64_t trips, const Tensors &near,
                      std::source_location at) {
  for (const Tensor &tensor : near)
    if (!tensor.isNone()) {
      Trace::Recorder &recorder = tensor.trace()->recorder();
      return recorder.make(aten::Emitter(recorder.builder(), recorder.place(at))
                               .number(aten::Value(trips)));
    }
  return {};
}

std::pair<Tensors, Tensors> control::loop(const Tensor &trips,
                                          const Tensor &condition,
                                          const Tensors &initial, LoopBody body,
                                          std::source_location at) {
  const Tensor &known = trips.isNone() ? condition : trips;
  if (known.isNone())
    return {initial, Tensors(1)};
  Bodies bodies(known.trace()->recorder(), at);
  Trace::Recorder &recorder = bodies.recorder;
  mlir::Value trip, proceed;
  llvm::SmallVector<mlir::Value> start;
  bool ok = bodies.read(initial, start);
  if (!trips.isNone())
    ok &= bool(trip = bodies.element(trips, "the number of iterations", false));
  if (!condition.isNone())
    ok &= bool(proceed = bodies.element(condition, "the condition", true));
  if (!ok) {
    recorder.failed = true;
    Tensor invalid = recorder.invalid();
    return {Tensors(initial.size(), invalid), Tensors(1, invalid)};
  }
  llvm::SmallVector<mlir::Type> types{
      mlir::RankedTensorType::get({}, bodies.builder.getI64Type())};
  llvm::append_range(types, mlir::ValueRange(start).getTypes());
  mlir::Region region;
  llvm::SmallVector<mlir::Value> carried, slices;
  bodies.record(region, types, [&](mlir::Block &block) {
    Tensors arguments = bodies.give(block.getArguments().drop_front());
    Iteration next = body(recorder.make(block.getArgument(0)), arguments);
    mlir::Value again;
    if (next.proceed.isNone())
      again =
          aten::Emitter(bodies.builder, bodies.loc).number(aten::Value(true));
    else
      again = bodies.element(next.proceed, "the condition", true);
    ok = again && bodies.read(next.carried, carried) &&
         bodies.read(next.slices, slices);
    if (!ok)
      return;
    llvm::SmallVector<mlir::Value> values{again};
    llvm::append_range(values, carried);
    llvm::append_range(values, slices);
    YieldOp::create(bodies.builder, bodies.loc, values);
  });
  auto refuse = [&] {
    bodies.discard({&region}, 0);
    return std::pair(Tensors(initial.size(), recorder.invalid()),
                     Tensors(1, recorder.invalid()));
  };
  if (!ok)
    return refuse();
  if (carried.size() != start.size()) {
    bodies.fail() << "the body gives " << carried.size()
                  << " tensors, the loop carries " << start.size();
    return refuse();
  }
  for (size_t i = 0; i < start.size(); ++i)
    if (carried[i].getType() != start[i].getType()) {
      bodies.fail() << "carried tensor " << i << " is " << start[i].getType()
                    << ", the body gives " << carried[i].getType();
      return refuse();
    }
  llvm::SmallVector<mlir::Type> stacked;
  std::optional<aten::Value> number =
      trip ? recorder.session.constants.evaluateScalar(trip) : std::nullopt;
  for (mlir::Value slice : slices) {
    auto type = mlir::cast<mlir::RankedTensorType>(slice.getType());
    llvm::SmallVector<int64_t> shape{
        number ? std::max<int64_t>(number->integer(), 0)
               : mlir::ShapedType::kDynamic};
    llvm::append_range(shape, type.getShape());
    stacked.push_back(type.clone(shape));
  }
  auto op = LoopOp::create(bodies.builder, bodies.loc,
                           mlir::ValueRange(start).getTypes(), stacked, trip,
                           proceed, start);
  op.getBody().takeBody(region);
  return {bodies.give(op.getFinal()), bodies.give(op.getStacked())};
}
