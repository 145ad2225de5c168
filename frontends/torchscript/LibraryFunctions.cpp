//===- LibraryFunctions.cpp - functions taken whole ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table of functions of libraries that say by loops
// over data what an operator says at once: a loop with an iteration for each
// class or box that was found has no Graph, its result has.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/LibraryFunctions.h"

#include "llvm/ADT/StringExtras.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;

namespace {
struct LibraryFunction {
  StringRef name;
  /// Of its parameters; another version of the library may have others, and
  /// another meaning.
  StringRef parameters;
  StringRef operation;
};
} // namespace

// torchvision.ops.batched_nms: boxes overlap those of their own class only. By
// the number of boxes it moves the classes apart or loops over them, which is
// the same but for rounding.
// paste_masks_in_image: each mask resized to its box, in an image of zeros.
// heatmaps_to_keypoints: where maps that are resized to their box are greatest.
static constexpr LibraryFunction kFunctions[] = {
    {"torchvision.ops.boxes.batched_nms", "boxes scores idxs iou_threshold",
     "torchvision::batched_nms"},
    {"torchvision.models.detection.roi_heads.paste_masks_in_image",
     "masks boxes img_shape padding", "torchvision::paste_masks_in_image"},
    {"torchvision.models.detection.roi_heads.heatmaps_to_keypoints",
     "maps rois", "torchvision::heatmaps_to_keypoints"},
};

StringRef torch::libraryOperator(StringRef qualifiedName,
                                 const FunctionDef &definition) {
  if (!qualifiedName.consume_front("__torch__."))
    return {};
  // Saving puts a number between where two of a name are in one archive.
  llvm::SmallVector<StringRef> parts;
  qualifiedName.split(parts, '.');
  llvm::erase_if(parts, [](StringRef part) {
    return part.starts_with("___torch_mangle_");
  });
  std::string name = llvm::join(parts, ".");
  for (const LibraryFunction &function : kFunctions) {
    if (function.name != name)
      continue;
    llvm::SmallVector<StringRef> expected;
    llvm::SplitString(function.parameters, expected);
    bool same = llvm::equal(expected, definition.parameters,
                            [](StringRef wanted, const Parameter &parameter) {
                              return wanted == parameter.name;
                            });
    return same ? function.operation : StringRef();
  }
  return {};
}
