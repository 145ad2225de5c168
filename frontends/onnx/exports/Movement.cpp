//===- Movement.cpp - shapes and copies ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the ops that only move elements.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven {
namespace onnx {

/// Whether the Node only puts extents of 1 before the others.
static bool addsLeadingOnes(ReshapeOp op) {
  auto from = Exporter::typeOf(op.getX()),
       to = Exporter::typeOf(op.getResult());
  int64_t added = to.getRank() - from.getRank();
  return added > 0 && from.getRank() > 0 && from.hasStaticShape() &&
         to.getShape().drop_front(added) == from.getShape() &&
         llvm::all_of(to.getShape().take_front(added),
                      [](int64_t extent) { return extent == 1; });
}

} // namespace onnx

bool isBroadcastAnyway(ReshapeOp op) {
  using namespace onnx;
  return addsLeadingOnes(op) &&
         llvm::all_of(op->getUsers(), [&](Operation *user) {
           auto product = dyn_cast<MatmulOp>(user);
           bool reads =
               isa<AddOp, SubOp, MulOp, DivOp, CompareOp>(user) ||
               (product && product.getB() == op.getResult() &&
                product.getA() != op.getResult() && !product.getTransposeB());
           return reads && llvm::any_of(user->getOperands(), [&](Value other) {
                    auto same = other.getDefiningOp<ReshapeOp>();
                    return Exporter::rank(other) ==
                               Exporter::rank(op.getResult()) &&
                           !(same && addsLeadingOnes(same));
                  });
         });
}

namespace onnx {

static void express(Exporter &e, ReshapeOp op) {
  if (expressIndexed(e, op))
    return;
  if (isBroadcastAnyway(op)) {
    e.alias(op.getResult(), e.name(op.getX()));
    return;
  }
  // A 0 is an extent, no copy of one.
  if (llvm::is_contained(op.getShape(), 0)) {
    if (e.needs(op, 14, "an extent of 0"))
      e.give(op, "Reshape",
             {e.name(op.getX()), e.mixed(op.getShape(), op.getDynamicShape())},
             {{"allowzero", 1}});
    return;
  }
  // Extents that stay where they are need not be computed.
  Ints shape(op.getShape());
  SmallVector<Value> computed;
  auto next = op.getDynamicShape().begin();
  for (auto [i, entry] : llvm::enumerate(shape)) {
    if (!ShapedType::isDynamic(entry))
      continue;
    Value number = *next++;
    auto dim = number.getDefiningOp<DimOp>();
    if (dim && dim.getX() == op.getX() &&
        int64_t(dim.getAxis()) == static_cast<int64_t>(i))
      entry = 0;
    else
      computed.push_back(number);
  }
  e.give(op, "Reshape", {e.name(op.getX()), e.mixed(shape, computed)});
}

static void express(Exporter &e, TransposeOp op) {
  e.give(op, "Transpose", {e.name(op.getX())}, {{"perm", op.getPermutation()}});
}

static void express(Exporter &e, BroadcastOp op) {
  Name x = e.name(op.getX());
  int64_t rank = op.getShape().size(), own = Exporter::rank(op.getX());
  bool isAligned = true;
  for (auto [i, axis] : llvm::enumerate(op.getAxes()))
    isAligned &= axis == rank - own + static_cast<int64_t>(i);
  if (!isAligned) {
    // Axes before the first one are new without a word.
    int64_t first = op.getAxes().front();
    Ints added;
    for (int64_t axis = first; axis < rank; ++axis)
      if (!llvm::is_contained(op.getAxes(), axis))
        added.push_back(axis - first);
    x = e.unsqueeze(x, added);
  }
  e.give(op, "Expand", {x, e.mixed(op.getShape(), op.getDynamicShape())});
}

namespace {
/// Puts a window into a tensor, axis by axis.
struct Window {
  Exporter &e;
  InsertSliceOp op;
  /// Of each axis, the scalar that it starts at, or null.
  SmallVector<Value> starts;

  /// Whether the window has all places of the axis.
  bool isWhole(int64_t axis) {
    auto dest = Exporter::typeOf(op.getDest()),
         src = Exporter::typeOf(op.getSrc());
    return !dest.isDynamicDim(axis) && !src.isDynamicDim(axis) &&
           dest.getDimSize(axis) == src.getDimSize(axis);
  }

  /// `dest` with `src` in its place, from `axis` on.
  Name insert(const Name &dest, int64_t axis) {
    int64_t rank = Exporter::rank(op.getDest());
    while (axis < rank && isWhole(axis))
      ++axis;
    if (axis == rank)
      return e.name(op.getSrc());
    return op.getSteps()[axis] == 1 ? between(dest, axis) : strided(dest, axis);
  }

  /// What is before, the window replaced along the further axes, and what is
  /// behind.
  Name between(const Name &dest, int64_t axis) {
    constexpr int64_t open = std::numeric_limits<int64_t>::max();
    int64_t start = op.getStarts()[axis];
    auto src = Exporter::typeOf(op.getSrc()),
         whole = Exporter::typeOf(op.getDest());
    Names parts;
    if (!starts[axis] && !src.isDynamicDim(axis)) {
      int64_t end = start + src.getDimSize(axis);
      auto part = [&](int64_t low, int64_t high) {
        return e.slice(dest, {low}, {high}, {axis}, {1});
      };
      if (start > 0)
        parts.push_back(part(0, start));
      parts.push_back(insert(part(start, end), axis + 1));
      if (whole.isDynamicDim(axis) || end < whole.getDimSize(axis))
        parts.push_back(part(end, open));
      return joined(parts, axis);
    }
    Name at = e.ints({axis}), one = e.ints({1});
    Name from =
        starts[axis] ? e.reshape(e.name(starts[axis]), {1}) : e.ints({start});
    Name to = e.make("Add", {from, e.extent(op.getSrc(), axis)});
    auto part = [&](const Name &low, const Name &high) {
      return e.make("Slice", {dest, low, high, at, one});
    };
    if (starts[axis] || start > 0)
      parts.push_back(part(e.ints({0}), from));
    parts.push_back(insert(part(from, to), axis + 1));
    parts.push_back(part(to, e.ints({open})));
    return joined(parts, axis);
  }

  Name joined(const Names &parts, int64_t axis) {
    return parts.size() == 1 ? parts.front()
                             : e.make("Concat", parts, {{"axis", axis}});
  }

  /// Of what is there and the replaced window behind it, each place its own.
  Name strided(const Name &dest, int64_t axis) {
    auto whole = Exporter::typeOf(op.getDest()),
         src = Exporter::typeOf(op.getSrc());
    if (starts[axis] || whole.isDynamicDim(axis) || src.isDynamicDim(axis)) {
      e.unsupported(op, "a window with steps at a place that is computed");
      return {};
    }
    Ints window, places;
    for (int64_t i = 0; i < src.getDimSize(axis); ++i)
      window.push_back(op.getStarts()[axis] + i * op.getSteps()[axis]);
    for (int64_t i = 0; i < whole.getDimSize(axis); ++i)
      places.push_back(i);
    for (auto [i, place] : llvm::enumerate(window))
      places[place] = whole.getDimSize(axis) + i;
    Name inner = e.make("Gather", {dest, e.ints(window)}, {{"axis", axis}});
    Name both =
        e.make("Concat", {dest, insert(inner, axis + 1)}, {{"axis", axis}});
    return e.make("Gather", {both, e.ints(places)}, {{"axis", axis}});
  }
};
} // namespace

static void express(Exporter &e, InsertSliceOp op) {
  auto src = Exporter::typeOf(op.getSrc());
  if (llvm::is_contained(src.getShape(), 0))
    return e.alias(op.getResult(), e.name(op.getDest()));
  Window window{e, op, {}};
  auto next = op.getDynamicStarts().begin();
  bool isKnown = src.hasStaticShape();
  for (int64_t start : op.getStarts()) {
    bool isDynamic = ShapedType::isDynamic(start);
    isKnown &= !isDynamic;
    window.starts.push_back(isDynamic ? *next++ : Value());
  }
  if (!isKnown && !e.needs(op, 10, "bounds that are computed"))
    return;
  e.alias(op.getResult(), window.insert(e.name(op.getDest()), 0));
}

static void express(Exporter &e, ConcatOp op) {
  Names inputs;
  for (Value input : op.getInputs())
    inputs.push_back(e.name(input));
  e.give(op, "Concat", inputs, {{"axis", int64_t(op.getAxis())}});
}

static void express(Exporter &e, PadOp op) {
  Name x = e.name(op.getX());
  Ints pads(op.getLow());
  llvm::append_range(pads, op.getHigh());
  std::string mode = stringifyPadMode(op.getMode()).str();
  if (op.getMode() == PadMode::Wrap && !e.needs(op, 19, "mode wrap"))
    return;
  // No node has to know of bools.
  Type type = Exporter::element(op.getX());
  bool isBool = Exporter::isBool(op.getX());
  if (isBool) {
    type = IntegerType::get(op.getContext(), 32);
    x = e.cast(x, type);
  }
  Name value = op.getValue() ? e.name(op.getValue()) : Name();
  if (isBool && !value.empty())
    value = e.cast(value, type);
  Name padded;
  if (e.opset() >= 11) {
    padded = e.make("Pad", {x, e.ints(pads), value}, {{"mode", mode}});
  } else {
    DenseElementsAttr constant;
    if (op.getValue() &&
        (!matchPattern(op.getValue(), m_Constant(&constant)) ||
         !isa<FloatType>(type)) &&
        !e.needs(op, 11, "a value that is computed"))
      return;
    double number =
        constant ? constant.getSplatValue<llvm::APFloat>().convertToDouble()
                 : 0;
    padded = e.make(
        "Pad", {x},
        {{"mode", mode}, {"pads", ArrayRef<int64_t>(pads)}, {"value", number}});
  }
  e.alias(op.getResult(),
          isBool ? e.cast(padded, Exporter::element(op.getX())) : padded);
}

static void express(Exporter &e, ReverseOp op) {
  size_t count = op.getAxes().size();
  e.alias(op.getResult(),
          count ? e.slice(e.name(op.getX()), Ints(count, -1),
                          Ints(count, std::numeric_limits<int64_t>::min()),
                          op.getAxes(), Ints(count, -1))
                : e.name(op.getX()));
}

static void express(Exporter &e, GatherOp op) {
  e.give(op, "Gather", {e.name(op.getX()), e.name(op.getIndices())},
         {{"axis", int64_t(op.getAxis())}});
}

/// The nodes with index tuples take i64 alone.
static Name wideIndices(Exporter &e, Value indices) {
  Name name = e.name(indices);
  if (Exporter::element(indices).isInteger(64))
    return name;
  return e.cast(name, IntegerType::get(indices.getContext(), 64));
}

/// Before the node came: single elements, by their places in all of them.
static void gatherSingle(Exporter &e, GatherElementsOp op) {
  auto x = Exporter::typeOf(op.getX()), y = Exporter::typeOf(op.getResult());
  Type i64 = IntegerType::get(op.getContext(), 64);
  int64_t axis = op.getAxis();
  Ints strides = eval::stridesOf(x.getShape()), others(strides);
  others[axis] = 0;
  Name places = wideIndices(e, op.getIndices());
  if (!op.getNonneg())
    places = e.make("Where",
                    {e.make("Less", {places, e.scalar(i64, 0)}),
                     e.make("Add", {places, e.scalar(i64, x.getDimSize(axis))}),
                     places});
  places = e.make("Mul", {places, e.scalar(i64, strides[axis])});
  Name elsewhere = e.constant(
      eval::Tensor::fromVector(RankedTensorType::get(y.getShape(), i64),
                               eval::stridedOffsets(y.getShape(), others)));
  places = e.make("Add", {places, elsewhere});
  e.give(op, "Gather", {e.reshape(e.name(op.getX()), {-1}), places},
         {{"axis", 0}});
}

static void express(Exporter &e, GatherElementsOp op) {
  bool isStatic = Exporter::typeOf(op.getX()).hasStaticShape() &&
                  Exporter::typeOf(op.getResult()).hasStaticShape();
  if (e.opset() < 11 && isStatic)
    return gatherSingle(e, op);
  if (e.needs(op, 11))
    e.give(op, "GatherElements", {e.name(op.getX()), e.name(op.getIndices())},
           {{"axis", int64_t(op.getAxis())}});
}

/// Before the node came: rows of the first axes as one, by their places in it.
static void gatherRows(Exporter &e, GatherNdOp op) {
  auto x = e.shape(op, op.getX());
  if (!x)
    return;
  int64_t last = Exporter::rank(op.getIndices()) - 1,
          count = Exporter::typeOf(op.getIndices()).getDimSize(last);
  Ints extents(ArrayRef<int64_t>(*x).take_front(count)), strides(count),
      rows(ArrayRef<int64_t>(*x).drop_front(count));
  int64_t all = 1;
  for (int64_t i = count; i-- > 0;) {
    strides[i] = all;
    all *= extents[i];
  }
  Name places = wideIndices(e, op.getIndices());
  if (!op.getNonneg())
    places =
        e.make("Where", {e.make("Less", {places, e.ints({0})}),
                         e.make("Add", {places, e.ints(extents)}), places});
  Name row = e.reduce("ReduceSum", e.make("Mul", {places, e.ints(strides)}),
                      {last}, false);
  rows.insert(rows.begin(), all);
  e.give(op, "Gather", {e.reshape(e.name(op.getX()), rows), row},
         {{"axis", 0}});
}

static void express(Exporter &e, GatherNdOp op) {
  int64_t batch = op.getBatchDims();
  if (e.opset() < 11 && batch == 0)
    return gatherRows(e, op);
  if (!e.needs(op, batch ? 12 : 11))
    return;
  SmallVector<Attr> attributes;
  if (batch)
    attributes.push_back({"batch_dims", batch});
  e.give(op, "GatherND", {e.name(op.getX()), wideIndices(e, op.getIndices())},
         attributes);
}

static void express(Exporter &e, ScatterNdOp op) {
  ScatterKind kind = op.getKind();
  int64_t since = kind == ScatterKind::None                              ? 11
                  : kind == ScatterKind::Add || kind == ScatterKind::Mul ? 16
                                                                         : 18;
  if (!e.needs(op, since))
    return;
  SmallVector<Attr> attributes;
  if (kind != ScatterKind::None)
    attributes.push_back({"reduction", stringifyScatterKind(kind).str()});
  e.give(op, "ScatterND",
         {e.name(op.getX()), wideIndices(e, op.getIndices()),
          e.name(op.getUpdates())},
         attributes);
}

/// 0, 1, ... along the axis, an extent that only running tells.
static Name counted(Exporter &e, IotaOp op) {
  auto type = Exporter::typeOf(op.getResult());
  int64_t axis = op.getAxis();
  unsigned before =
      llvm::count_if(op.getShape().take_front(axis), ShapedType::isDynamic);
  Name line = e.range(e.name(op.getDynamicShape()[before]));
  if (!type.getElementType().isInteger(64))
    line = e.cast(line, type.getElementType());
  Ints further;
  for (int64_t i = 1; i < type.getRank() - axis; ++i)
    further.push_back(i);
  return e.unsqueeze(line, further);
}

static void express(Exporter &e, IotaOp op) {
  auto type = Exporter::typeOf(op.getResult());
  int64_t axis = op.getAxis();
  Name name;
  Ints column(type.getRank(), 1);
  if (ShapedType::isDynamic(op.getShape()[axis])) {
    name = counted(e, op);
    column.assign({ShapedType::kDynamic});
    column.append(type.getRank() - axis - 1, 1);
  } else {
    int64_t extent = op.getShape()[axis];
    std::vector<int64_t> counts(extent);
    for (int64_t i = 0; i < extent; ++i)
      counts[i] = i;
    column[axis] = extent;
    auto line = RankedTensorType::get(column, type.getElementType());
    name = e.constant(eval::Tensor::fromVector(line, counts));
  }
  if (ArrayRef<int64_t>(column) != op.getShape())
    name =
        e.make("Expand", {name, e.mixed(op.getShape(), op.getDynamicShape())});
  e.alias(op.getResult(), name);
}

/// Whether the extent is only an entry of shapes, which take it as a list.
static bool isEntry(DimOp op) {
  return llvm::all_of(op->getUses(), [&](OpOperand &use) {
    auto iota = dyn_cast<IotaOp>(use.getOwner());
    if (iota)
      return !ShapedType::isDynamic(iota.getShape()[iota.getAxis()]);
    return isa<ReshapeOp, BroadcastOp, SliceOp>(use.getOwner()) &&
           use.getOperandNumber() > 0;
  });
}

static void express(Exporter &e, DimOp op) {
  if (isEntry(op))
    return;
  Name shape = e.make("Shape", {e.name(op.getX())});
  e.give(op, "Gather",
         {shape, e.scalar(IntegerType::get(op.getContext(), 64), op.getAxis())},
         {{"axis", 0}});
}

void addMovementExports(ExportTable &table) {
  table.add<ReshapeOp, express>();
  table.add<TransposeOp, express>();
  table.add<BroadcastOp, express>();
  table.add<InsertSliceOp, express>();
  table.add<ConcatOp, express>();
  table.add<PadOp, express>();
  table.add<ReverseOp, express>();
  table.add<GatherOp, express>();
  table.add<GatherElementsOp, express>();
  table.add<GatherNdOp, express>();
  table.add<ScatterNdOp, express>();
  table.add<IotaOp, express>();
  table.add<DimOp, express>();
}

} // namespace onnx
} // namespace graven
