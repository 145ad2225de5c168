//===- Tiles.h - register tiles from the target -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the choice of register tiles and blocks for the kernels
// that have some, from the registers, vector width and caches of the target.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_TILES_H
#define GRAVEN_PASSES_LOWER_EXPAND_TILES_H

#include "passes/lower/TargetInfo.h"

namespace graven::expand {

/// Units of work that keep any number of threads we expect busy.
inline constexpr int64_t kWantedTasks = 16;

/// Accumulators that hide the latency of a multiply-add.
inline constexpr int64_t kWantedAccumulators = 8;

/// Steps of the contracted axis in the body of an innermost loop.
inline constexpr int64_t kUnrolledSteps = 4;

/// Steps after which accumulators are added up and begin again from zero: costs
/// nothing, and short chains round less.
inline constexpr int64_t kAccumulation = 384;

/// Rows of a register tile that leave no accumulator without a register when it
/// is `vectors` wide: rows * vectors accumulators, `vectors` of the right-hand
/// side, and one broadcast (without a fused multiply-add, one product more).
int64_t rowsThatFit(const TargetInfo &target, int64_t vectors);

/// Sets of `count` accumulators, among which the steps of the contracted axis
/// take turns: few of them would wait for one another. More than half of the
/// registers is too many, since the sets move when they take turns.
int64_t accumulatorSets(const TargetInfo &target, int64_t count);

/// How many of `vectors`, those of a panel, a register tile takes side by side:
/// the divisor that asks for the fewest loads a multiply-add.
int64_t tileVectors(const TargetInfo &target, int64_t vectors);

/// The most of `vectors`, as a divisor of it, that leave room for `rows`: all
/// of them where the panel was made for this target.
int64_t vectorsThatFit(const TargetInfo &target, int64_t vectors, int64_t rows);

/// kernel.gemm: `mr` rows, panels of `nr` columns, `kc` steps of k.
struct GemmTile {
  int64_t mr, nr, kc;
};
GemmTile chooseGemmTile(const TargetInfo &target, int64_t m, int64_t n,
                        int64_t k, int64_t elementBytes = 4);

struct ConvTileShape {
  int64_t batch, inChannels, outChannels, groups;
  int64_t kernelHeight, kernelWidth;
  int64_t strideHeight, strideWidth;
  int64_t outHeight, outWidth;
};

/// kernel.conv: `rows` x `columns` output pixels, panels of `channels`, and
/// `rowBlock` output rows in a unit of work.
struct ConvTile {
  int64_t rows, columns, channels, rowBlock;
};
ConvTile chooseConvTile(const TargetInfo &target, const ConvTileShape &shape,
                        int64_t elementBytes = 4);

/// kernel.winograd: panels of `channels`, `block` transformed tiles that stay
/// in the second level cache, `mr` of them in the register tile.
struct WinogradTile {
  int64_t channels, block, mr;
};
WinogradTile chooseWinogradTile(const TargetInfo &target, int64_t inChannels,
                                int64_t points, int64_t tiles);

/// kernel.strassen: panels of `columns`, `block` rows of a quadrant whose
/// combinations stay in the caches, `mr` of them in the register tile.
struct StrassenTile {
  int64_t columns, block, mr;
};
StrassenTile chooseStrassenTile(const TargetInfo &target, int64_t halfRows,
                                int64_t halfColumns);

/// kernel.attention: tiles of `mr` rows, panels of `panel` keys or columns,
/// `block` keys at a time, units of work of `group` tiles.
struct AttentionTileSizes {
  int64_t mr, panel, block, group;
};
/// For `heads` heads in all images.
AttentionTileSizes chooseAttentionTile(const TargetInfo &target, int64_t heads,
                                       int64_t rows, int64_t keys,
                                       int64_t depth, int64_t columns,
                                       int64_t elementBytes = 4);

/// kernel.recurrence: `vectors` vectors of units in a panel, all their gates
/// side by side, and `mr` rows.
struct RecurrenceTile {
  int64_t vectors, mr;
};
RecurrenceTile chooseRecurrenceTile(const TargetInfo &target, int64_t gates,
                                    int64_t batch, int64_t hidden,
                                    int64_t elementBytes = 4);

/// kernel.depthwise: `rows` x `columns` output pixels.
struct DepthwiseTile {
  int64_t rows, columns;
};
DepthwiseTile chooseDepthwiseTile(const TargetInfo &target, int64_t outHeight,
                                  int64_t outWidth);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_TILES_H
